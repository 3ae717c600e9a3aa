using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Truth;

namespace Pipeline.Registry.Identity;

/// <summary>The accounts.</summary>
public sealed class UserStore(IDatabase database, CallerCache cache)
{
    private const int MaxLogin = 64;
    private const int MaxText = 200;
    private const string Columns = "id, login, name, email, is_admin, lock_reason, locked_until, created_at";

    /// <summary>Makes an account.</summary>
    /// <returns>The account, or why there is none: a login that is taken (400) or not of the form.</returns>
    public async ValueTask<(User? User, Reject? Reject)> AddAsync(NewUser user, Actor actor, CancellationToken cancellationToken = default)
    {
        if (Check(user) is { } reject) return (null, reject);
        var added = await database.WriteAsync(sql => AddAsync(sql, user, actor), cancellationToken).ConfigureAwait(false);
        return added is null ? (null, Invalid($"a user with login `{user.Login}` exists already")) : (added, null);
    }

    /// <summary>All accounts, oldest first.</summary>
    public ValueTask<List<User>> ListAsync(CancellationToken cancellationToken = default) =>
        database.ReadAsync(static sql => sql.QueryAsync($"SELECT {Columns} FROM users ORDER BY id", Read), cancellationToken);

    /// <summary>The account of a login, whatever its letter case; null: none.</summary>
    public ValueTask<User?> FindAsync(string login, CancellationToken cancellationToken = default) =>
        database.ReadAsync(sql => sql.FirstAsync($"SELECT {Columns} FROM users WHERE login_key = $1", Read, Key(login)), cancellationToken);

    /// <summary>Sets an account's verified e-mail address: one that came back from a recovery has none.</summary>
    /// <returns>Null, or why not (404 or 400).</returns>
    public async ValueTask<Reject?> SetEmailAsync(string login, string email, Actor actor, CancellationToken cancellationToken = default)
    {
        if (Check(new NewUser("a", Email: email)) is { } reject) return reject;
        var changed = await database.WriteAsync(
            async sql =>
            {
                var rows = await sql.ExecuteAsync("UPDATE users SET email = $2 WHERE login_key = $1", Key(login), email).ConfigureAwait(false);
                if (rows > 0) await Audit.WriteAsync(sql, "set-email", actor, detail: login).ConfigureAwait(false);
                return rows;
            },
            cancellationToken).ConfigureAwait(false);
        cache.Clear();
        return changed > 0 ? null : new Reject(RejectCodes.NotFound, 404, $"could not find user with login `{login}`");
    }

    /// <summary>Locks an account: its tokens are refused, nothing of it is lost. A second lock replaces the first.</summary>
    /// <param name="login">The account.</param>
    /// <param name="reason">Why; its owner is shown this.</param>
    /// <param name="until">Until when; null: until it is unlocked.</param>
    /// <param name="actor">Who locks it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null, or why not (404 or 400).</returns>
    public async ValueTask<Reject?> LockAsync(string login, string reason, DateTimeOffset? until, Actor actor, CancellationToken cancellationToken = default)
    {
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > MaxText) return Invalid($"a lock needs a reason of 1 to {MaxText} characters");
        return await SetLockAsync(login, reason, until, "lock-user", actor, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the lock of an account. Null, or why not (404).</summary>
    public ValueTask<Reject?> UnlockAsync(string login, Actor actor, CancellationToken cancellationToken = default) =>
        SetLockAsync(login, null, null, "unlock-user", actor, cancellationToken);

    internal static string Key(string login) => login.ToLowerInvariant();

    /// <summary>The id of a login's account; null: there is none.</summary>
    public static ValueTask<long?> IdAsync(Statements sql, string login) => sql.LongAsync("SELECT id FROM users WHERE login_key = $1", Key(login));

    /// <summary>Makes an account in the caller's transaction; null: the login is taken.</summary>
    public static async ValueTask<User?> AddAsync(Statements sql, NewUser user, Actor actor)
    {
        var added = await sql.FirstAsync(
            $"INSERT INTO users (login, login_key, name, email, is_admin, created_at) VALUES ($1, $2, $3, $4, $5, now_us()) ON CONFLICT (login_key) DO NOTHING RETURNING {Columns}",
            Read, user.Login, Key(user.Login), user.Name, user.Email, user.IsAdmin).ConfigureAwait(false);
        if (added is not null) await Audit.WriteAsync(sql, "add-user", actor, detail: added.Login).ConfigureAwait(false);
        return added;
    }

    private static User Read(Row row) => new(
        row.Long(0),
        row.Text(1),
        row.TextOrNull(2),
        row.TextOrNull(3),
        row.Bool(4),
        row.TextOrNull(5),
        row.LongOrNull(6) is { } until ? Microseconds.Time(until) : null,
        Microseconds.Time(row.Long(7)));

    private static Reject? Check(NewUser user)
    {
        if (!IsLogin(user.Login)) return Invalid($"a login is 1 to {MaxLogin} of letters, digits, `-`, `_` and `.`, a letter or digit first");
        if (user.Name?.Length > MaxText || user.Email?.Length > MaxText) return Invalid($"a name or e-mail address has at most {MaxText} characters");
        return user.Email is { } email && email.IndexOf('@', StringComparison.Ordinal) < 1 ? Invalid("an e-mail address needs an `@`") : null;
    }

    private static bool IsLogin(string login)
    {
        if (login.Length is 0 or > MaxLogin || !char.IsAsciiLetterOrDigit(login[0])) return false;
        foreach (var c in login)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return false;
        }

        return true;
    }

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidRequest, 400, text);

    private async ValueTask<Reject?> SetLockAsync(string login, string? reason, DateTimeOffset? until, string action, Actor actor, CancellationToken cancellationToken)
    {
        var changed = await database.WriteAsync(
            async sql =>
            {
                var rows = await sql.ExecuteAsync(
                    "UPDATE users SET lock_reason = $2, locked_until = $3 WHERE login_key = $1",
                    Key(login), reason, until is { } time ? Microseconds.Of(time) : null).ConfigureAwait(false);
                if (rows > 0) await Audit.WriteAsync(sql, action, actor, detail: login).ConfigureAwait(false);
                return rows;
            },
            cancellationToken).ConfigureAwait(false);
        cache.Clear();
        return changed > 0 ? null : new Reject(RejectCodes.NotFound, 404, $"could not find user with login `{login}`");
    }
}
