using Pipeline.Contracts;
using Pipeline.Registry.Store;

namespace Pipeline.Workers.Recovery;

/// <summary>The keys of the store by crate: one listing of each folder, since a store lists in no order. Costs about 200 bytes of memory a version.</summary>
internal sealed class StoreContents
{
    private readonly Dictionary<string, Crate> _crates = new(StringComparer.Ordinal);

    /// <summary>The canonical names of the crates that the store knows.</summary>
    public IEnumerable<string> Names => _crates.Keys;

    /// <summary>What there is of a crate.</summary>
    public Crate Of(string canonical) => _crates.GetValueOrDefault(canonical) ?? new Crate();

    /// <summary>Lists the store.</summary>
    public static async Task<StoreContents> ListAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var contents = new StoreContents();
        await foreach (var entry in store.ListAsync(StoreKeys.Records, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Key.Split('/') is not [_, var name, var file]) continue;
            // The name of a crate's own record begins with a letter, that of a version's with a digit.
            if (char.IsAsciiDigit(file[0])) contents.Add(name).VersionRecords.Add(entry.Key);
            else if (file.StartsWith("crate.", StringComparison.Ordinal)) contents.Add(name).CrateRecords.Add(entry.Key);
        }

        await foreach (var entry in store.ListAsync(StoreKeys.Crates, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Key.Split('/') is [_, var name, _]) contents.Add(name).Files[entry.Key] = entry.Length;
        }

        await foreach (var entry in store.ListAsync(StoreKeys.Index, cancellationToken).ConfigureAwait(false))
        {
            // At the top lies config.json.
            if (entry.Key.Split('/') is [_, _, .., var name]) contents.Add(name).IndexFiles.Add(entry.Key);
        }

        return contents;
    }

    private Crate Add(string name)
    {
        var canonical = CanonicalName.Of(name).Text;
        if (!_crates.TryGetValue(canonical, out var crate)) _crates.Add(canonical, crate = new Crate());
        return crate;
    }

    /// <summary>The keys of one crate.</summary>
    public sealed class Crate
    {
        public bool HasRecords => VersionRecords.Count + CrateRecords.Count > 0;

        public List<string> VersionRecords { get; } = [];

        public List<string> CrateRecords { get; } = [];

        public List<string> IndexFiles { get; } = [];

        public Dictionary<string, long> Files { get; } = new(StringComparer.Ordinal);
    }
}
