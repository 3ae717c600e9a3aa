using Pipeline.Registry.Database;
using Pipeline.Registry.Git;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Upstream;

/// <summary>Takes over an upstream's <c>config.json</c>, which says where its files are. One that cannot be read is a failure of its own: the sync goes on.</summary>
internal static class ConfigFile
{
    /// <summary>Takes it over, or notes that it cannot be read. It writes only when something is other than it was.</summary>
    /// <param name="database">The database.</param>
    /// <param name="upstream">Whose.</param>
    /// <param name="bytes">Its bytes; null: too many.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task TakeAsync(IDatabase database, Registry.Upstreams.Upstream upstream, byte[]? bytes, CancellationToken cancellationToken)
    {
        var text = bytes is null ? null : UpstreamConfig.Read(bytes);
        var items = await database.ReadAsync(sql => UpstreamItems.OfAsync(sql, upstream.Name), cancellationToken).ConfigureAwait(false);
        var wasBad = items.All.Contains(IndexRepository.ConfigPath);
        if (text is not null && text == upstream.Config && !wasBad) return;
        await database.WriteAsync(
            async sql =>
            {
                if (text is null) await UpstreamItems.NoteAsync(sql, upstream.Name, new BadFile(IndexRepository.ConfigPath, null, "config-unreadable", $"it is no JSON object of at most {UpstreamConfig.MaxBytes} bytes with a `dl` that is an http or https URL; files are where the last good one says")).ConfigureAwait(false);
                else if (wasBad) await UpstreamItems.ResolveAsync(sql, upstream.Name, IndexRepository.ConfigPath).ConfigureAwait(false);
                return text is null ? 0 : await sql.ExecuteAsync("UPDATE upstreams SET config = $2 WHERE name = $1", upstream.Name, text).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }
}
