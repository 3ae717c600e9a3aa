using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Truth;

/// <summary>Yank and unyank: a flag on a version, never a delete (crates-io-behaviour §6.4).</summary>
public static class VersionYank
{
    /// <summary>Sets the flag and its message, in the caller's transaction, which has locked the crate (<see cref="CrateLookup.LockCrateAsync"/>).</summary>
    /// <param name="sql">The open transaction.</param>
    /// <param name="version">The version as found in this transaction.</param>
    /// <param name="yanked">The flag.</param>
    /// <param name="message">Why; must be null when the flag is off.</param>
    /// <param name="actor">Who does it.</param>
    /// <returns>The crate's new revision; null: flag and message are so already, and nothing was written.</returns>
    public static async ValueTask<Revised?> SetAsync(Statements sql, FoundVersion version, bool yanked, string? message, Actor actor)
    {
        if (version.Yanked == yanked && version.YankMessage == message) return null;
        await sql.ExecuteAsync(
            "UPDATE versions SET yanked = $2, yank_message = $3, updated_at = now_us() WHERE id = $1", version.Id, yanked, message).ConfigureAwait(false);
        var action = yanked ? "yank" : "unyank";
        var revised = await Revisions.BumpAsync(sql, version.Crate.Id, action, version.Num).ConfigureAwait(false);
        if (version.Yanked != yanked) await DefaultVersion.RecomputeAsync(sql, version.Crate.Id).ConfigureAwait(false);
        await Audit.WriteAsync(sql, action, actor, version.Crate.Id, version.Id).ConfigureAwait(false);
        return revised;
    }
}
