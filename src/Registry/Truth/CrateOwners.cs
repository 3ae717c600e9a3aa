using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Truth;

/// <summary>An owner of a crate.</summary>
/// <param name="Id">The account.</param>
/// <param name="Login">Its login.</param>
/// <param name="Name">Its display name.</param>
public sealed record Owner(long Id, string Login, string? Name);

/// <summary>Who owns a crate (crates-io-behaviour §6.5). There are no teams here, and who is added is an owner at once.</summary>
public static class CrateOwners
{
    private const string NobodyLeft =
        "cannot remove all individual owners of a crate. Team member don't have permission to modify owners, so at least one individual owner is required.";

    /// <summary>The most logins one request may name.</summary>
    public const int MaxLogins = 10;

    /// <summary>The refusal for a caller who does not own the crate.</summary>
    public static readonly Reject NotOwner = new(RejectCodes.NotOwner, 403, "only owners have permission to modify owners");

    /// <summary>The owners of a crate, by id.</summary>
    public static ValueTask<List<Owner>> ListAsync(Statements sql, long crateId) => sql.QueryAsync(
        "SELECT u.id, u.login, u.name FROM owners o JOIN users u ON u.id = o.user_id WHERE o.crate_id = $1 ORDER BY u.id",
        static row => new Owner(row.Long(0), row.Text(1), row.TextOrNull(2)),
        crateId);

    /// <summary>Whether an account owns a crate.</summary>
    public static async ValueTask<bool> IsOwnerAsync(Statements sql, long crateId, long userId) =>
        await sql.LongAsync("SELECT 1 FROM owners WHERE crate_id = $1 AND user_id = $2", crateId, userId).ConfigureAwait(false) is not null;

    /// <summary>Adds owners, in the caller's transaction, which has locked the crate.</summary>
    /// <returns>The crate's revision and the message for each, or why none was added; then nothing was written.</returns>
    public static async ValueTask<OwnersChange> AddAsync(Statements sql, FoundCrate crate, IReadOnlyList<string> logins, Actor actor)
    {
        var users = new List<Owner>(logins.Count);
        foreach (var login in logins)
        {
            if (TeamReject(login) is { } team) return new OwnersChange(team);
            var user = await FindAsync(sql, login).ConfigureAwait(false);
            if (user is null) return Refuse(RejectCodes.NotFound, $"could not find user with login `{login}`");
            if (users.Contains(user) || await IsOwnerAsync(sql, crate.Id, user.Id).ConfigureAwait(false))
                return Refuse(RejectCodes.Conflict, $"`{login}` is already an owner");
            users.Add(user);
        }

        if (users.Count == 0) return new OwnersChange(null, "", null);
        foreach (var user in users)
        {
            await sql.ExecuteAsync(
                "INSERT INTO owners (crate_id, user_id, added_by, added_at) VALUES ($1, $2, $3, now_us())", crate.Id, user.Id, actor.UserId).ConfigureAwait(false);
            await Audit.WriteAsync(sql, "add-owner", actor, crate.Id, detail: user.Login).ConfigureAwait(false);
        }

        var messages = users.Select(user => $"user {user.Login} has been added as an owner of crate {crate.Name}");
        return new OwnersChange(await BumpAsync(sql, crate, "added", users).ConfigureAwait(false), string.Join(',', messages));
    }

    /// <summary>Removes owners, in the caller's transaction, which has locked the crate. At least one stays.</summary>
    /// <returns>The crate's revision and a message, or why none was removed; then nothing was written.</returns>
    public static async ValueTask<OwnersChange> RemoveAsync(Statements sql, FoundCrate crate, IReadOnlyList<string> logins, Actor actor)
    {
        var left = await ListAsync(sql, crate.Id).ConfigureAwait(false);
        var removed = new List<Owner>(logins.Count);
        foreach (var login in logins)
        {
            var owner = left.Find(owner => UserStore.Key(owner.Login) == UserStore.Key(login));
            if (owner is null) return Refuse(RejectCodes.NotFound, $"could not find owner with login `{login}`");
            left.Remove(owner);
            removed.Add(owner);
        }

        if (removed.Count == 0) return new OwnersChange(null, "owners successfully removed", null);
        if (left.Count == 0) return Refuse(RejectCodes.Conflict, NobodyLeft);
        foreach (var owner in removed)
        {
            await sql.ExecuteAsync("DELETE FROM owners WHERE crate_id = $1 AND user_id = $2", crate.Id, owner.Id).ConfigureAwait(false);
            await Audit.WriteAsync(sql, "remove-owner", actor, crate.Id, detail: owner.Login).ConfigureAwait(false);
        }

        return new OwnersChange(await BumpAsync(sql, crate, "removed", removed).ConfigureAwait(false), "owners successfully removed");
    }

    private static ValueTask<Owner?> FindAsync(Statements sql, string login) => sql.FirstAsync(
        "SELECT id, login, name FROM users WHERE login_key = $1", static row => new Owner(row.Long(0), row.Text(1), row.TextOrNull(2)), UserStore.Key(login));

    private static ValueTask<Revised> BumpAsync(Statements sql, FoundCrate crate, string what, List<Owner> owners) =>
        Revisions.BumpAsync(sql, crate.Id, "owners", null, $$"""{"{{what}}":{{JsonTexts.Write(owners.Select(static owner => owner.Login))}}}""");

    /// <summary>Why a login with a colon, a team's, is refused; null: it has none.</summary>
    private static Reject? TeamReject(string login)
    {
        if (!login.Contains(':', StringComparison.Ordinal)) return null;
        var parts = login.Split(':', 3);
        var text = parts switch
        {
            not ["github", ..] => "unknown organization handler, only 'github:org:team' is supported",
            not [_, _, _] => "missing github team argument; format is github:org:team",
            _ => "Cannot add a GitHub team as an owner without a connected GitHub account",
        };
        return new Reject(RejectCodes.InvalidRequest, 400, text);
    }

    private static OwnersChange Refuse(string code, Sentence text) => new(new Reject(code, 400, text));
}

/// <summary>What became of a change of owners.</summary>
/// <param name="Revised">The crate's new revision; null: it was refused, or nothing was to change.</param>
/// <param name="Message">What the caller is told; cargo prints it.</param>
/// <param name="Reject">Why it was refused; null: it was not.</param>
public sealed record OwnersChange(Revised? Revised, string Message, Reject? Reject)
{
    internal OwnersChange(Revised revised, string message)
        : this(revised, message, null)
    {
    }

    internal OwnersChange(Reject reject)
        : this(null, "", reject)
    {
    }
}
