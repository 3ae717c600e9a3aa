using Microsoft.Extensions.Logging;
using Pipeline.Contracts;
using Pipeline.Contracts.Index;
using Pipeline.Contracts.Upstream;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Api.Downloads;

/// <summary>A file of a mirrored crate.</summary>
/// <param name="CrateId">Its crate's row.</param>
/// <param name="Name">The crate's name as its index spells it.</param>
/// <param name="Num">The version as its line spells it.</param>
/// <param name="Checksum">What the line says its bytes are.</param>
/// <param name="Upstream">Whose it is.</param>
/// <param name="KeptKey">Where its bytes are here; null: they are not.</param>
/// <param name="IsUseOld">Whether this use of it is to be noted.</param>
/// <param name="IsAsked">Whether somebody asked for it before and it is on its way, or it was refused.</param>
internal sealed record MirroredDownload(
    long CrateId, string Name, string Num, string Checksum, Upstream Upstream, string? KeptKey, bool IsUseOld, bool IsAsked);

/// <summary>Finds the files of mirrored crates, and asks for those that are not here.</summary>
public sealed class MirroredDownloads(IDatabase database, IDoorbell doorbell, ILogger<MirroredDownloads> logger)
{
    /// <summary>
    /// The file of a version of a mirrored crate that is served; null: there is none. What counts is the line of the index as it is now: bytes
    /// that it names no longer are not served under its version.
    /// </summary>
    internal static async ValueTask<MirroredDownload?> FindAsync(Statements sql, string name, CrateVersion version)
    {
        var crate = await sql.FirstAsync(
            """
            SELECT c.id, c.source, c.upstream_file FROM crates c
            WHERE c.namespace = '' AND c.source <> 'local' AND c.served AND c.canonical = $1 AND c.name = $2 AND c.state = 'active' AND c.upstream_file IS NOT NULL
            """,
            static row => new { Id = row.Long(0), Source = row.Text(1), Bytes = row.Bytes(2) }, CanonicalName.Of(name).Text, name).ConfigureAwait(false);
        if (crate is null || !MirroredFile.TryRead(crate.Bytes, name, out var file, out _) || file.Find(version.Text) is not { } line) return null;
        if (await UpstreamStore.FindAsync(sql, crate.Source).ConfigureAwait(false) is not { } upstream) return null;
        var row = await sql.FirstAsync(
            "SELECT state, object_key, used_at, turn, now_us() FROM upstream_files WHERE crate_id = $1 AND num = $2 AND checksum = $3",
            static row => new { State = row.Text(0), Key = row.TextOrNull(1), UsedAt = row.LongOrNull(2), Turn = row.Long(3), Now = row.Long(4) },
            crate.Id, version.Text, line.Checksum).ConfigureAwait(false);
        return new MirroredDownload(
            crate.Id, file.Name, version.Text, line.Checksum, upstream,
            row is { State: FileStates.Kept } ? row.Key : null,
            row is { State: FileStates.Kept } && UpstreamFiles.IsOld(row.UsedAt ?? 0, row.Now),
            row is { State: FileStates.Refused } || row is { State: FileStates.Wanted, Turn: >= UpstreamFiles.AskedTurn });
    }

    /// <summary>Notes that a kept file is used. Trouble with that is no trouble of the download's.</summary>
    internal async ValueTask UsedAsync(MirroredDownload file)
    {
        try
        {
            await database.WriteAsync(sql => UpstreamFiles.UsedAsync(sql, file.KeptKey!)).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogInformation(e, "a use of {Key} was not noted", file.KeptKey);
        }
    }

    /// <summary>The bytes of a kept file are gone from the store.</summary>
    internal async ValueTask LostAsync(MirroredDownload file)
    {
        logger.LogWarning("the bytes of {Key} are gone", file.KeptKey);
        await database.WriteAsync(sql => UpstreamFiles.LostAsync(sql, file.KeptKey!)).ConfigureAwait(false);
    }

    /// <summary>Wants a file that is not here, where the upstream's mode is to fetch. The download itself goes to the upstream meanwhile.</summary>
    internal async ValueTask AskAsync(MirroredDownload file)
    {
        if (file.IsAsked || file.Upstream.IsRemoved || file.Upstream.Mode == UpstreamModes.Metadata) return;
        try
        {
            if (await database.WriteAsync(sql => UpstreamFiles.AskAsync(sql, file.CrateId, file.Upstream.Name, file.Name, file.Num, file.Checksum)).ConfigureAwait(false))
                await doorbell.RingAsync(new FetchCrate()).ConfigureAwait(false);
        }
        catch (TransientException e)
        {
            logger.LogInformation(e, "{Crate} {Version} is not fetched this time", file.Name, file.Num);
        }
    }

    /// <summary>Where the upstream has it; null: its <c>config.json</c> is not known.</summary>
    internal static string? UrlOf(MirroredDownload file) =>
        file.Upstream.DlTemplate is { } template ? DownloadUrl.Of(template, file.Name, file.Num, file.Checksum) : null;
}
