using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Truth;

/// <summary>A crate that exists.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Name">Its name as stored.</param>
public sealed record FoundCrate(long Id, string Name)
{
    /// <summary>Where its versions come from.</summary>
    public string Source { get; init; } = "local";

    /// <summary>Whether it is a mirrored one: its versions are the lines of its upstream's file.</summary>
    public bool IsMirrored => Source != "local";
}

/// <summary>A version that exists.</summary>
/// <param name="Crate">Its crate.</param>
/// <param name="Id">Its row.</param>
/// <param name="Num">Its number as stored, with build metadata.</param>
/// <param name="Yanked">Whether it is yanked.</param>
/// <param name="YankMessage">Why, if that was said.</param>
public sealed record FoundVersion(FoundCrate Crate, long Id, string Num, bool Yanked, string? YankMessage);

/// <summary>Finds crates and versions by name, in any spelling of the name (crates-io-behaviour §0.5). What was deleted is not found.</summary>
public static class CrateLookup
{
    /// <summary>The crate that is served under a name, local or mirrored; null: there is none.</summary>
    public static ValueTask<FoundCrate?> CrateAsync(Statements sql, string name) => sql.FirstAsync(
        "SELECT id, name, source FROM crates WHERE namespace = '' AND served AND canonical = $1 AND state = 'active'",
        static row => new FoundCrate(row.Long(0), row.Text(1)) { Source = row.Text(2) },
        CanonicalName.Of(name).Text);

    /// <summary>
    /// The local crate of a name, its row locked until the transaction ends, so that changes of one crate come one after the other;
    /// null: there is none. Transactions that change a crate begin with this.
    /// </summary>
    public static ValueTask<FoundCrate?> LockCrateAsync(Statements sql, string name) => sql.FirstAsync(
        "UPDATE crates SET revision = revision WHERE namespace = '' AND source = 'local' AND canonical = $1 AND state = 'active' RETURNING id, name",
        static row => new FoundCrate(row.Long(0), row.Text(1)),
        CanonicalName.Of(name).Text);

    /// <summary>A version of a crate by its number, with the build metadata; null: there is none.</summary>
    public static ValueTask<FoundVersion?> VersionAsync(Statements sql, FoundCrate crate, string num) => sql.FirstAsync(
        "SELECT id, num, yanked, yank_message FROM versions WHERE crate_id = $1 AND num_no_build = $2 AND num = $3 AND state = 'active' AND NOT freed",
        row => new FoundVersion(crate, row.Long(0), row.Text(1), row.Bool(2), row.TextOrNull(3)),
        crate.Id, WithoutBuild(num), num);

    /// <summary>The refusal for a crate that is not there.</summary>
    public static Reject NoCrate(string name) => new(RejectCodes.NotFound, 404, $"crate `{name}` does not exist");

    /// <summary>The refusal for a version that is not there.</summary>
    public static Reject NoVersion(string name, string num) => new(RejectCodes.NotFound, 404, $"crate `{name}` does not have a version `{num}`");

    private static string WithoutBuild(string num)
    {
        var plus = num.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? num : num[..plus];
    }
}
