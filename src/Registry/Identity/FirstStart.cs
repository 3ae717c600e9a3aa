using Pipeline.Contracts;
using Pipeline.Registry.Database;

namespace Pipeline.Registry.Identity;

/// <summary>When an administrator's token is written into the data folder.</summary>
public enum AdminToken
{
    /// <summary>When the account is new: the folder of another machine may hold the token of one that is not.</summary>
    WithAccount,

    /// <summary>When the account is new or the folder holds none.</summary>
    WhenMissing,

    /// <summary>In any case.</summary>
    Always,
}

/// <summary>Makes a new registry usable: the account <c>admin</c>, and a token of it where the command line finds it.</summary>
public static class FirstStart
{
    /// <summary>The file in the data folder that holds the administrator's token.</summary>
    public const string TokenFile = "admin-token";

    private const string Login = "admin";

    /// <summary>Makes the account if it is missing, and writes a fresh token (mode 600) if one is asked for.</summary>
    /// <param name="database">The database, migrated.</param>
    /// <param name="dataFolder">The data folder; it must exist.</param>
    /// <param name="when">When the token is written.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether a token was written.</returns>
    public static async ValueTask<bool> EnsureAdminAsync(IDatabase database, string dataFolder, AdminToken when, CancellationToken cancellationToken = default)
    {
        var file = Path.Combine(dataFolder, TokenFile);
        var isWanted = when == AdminToken.Always || (when == AdminToken.WhenMissing && !File.Exists(file));
        var plaintext = Token.New();
        var isNew = await database.WriteAsync(
            async sql =>
            {
                var added = await UserStore.AddAsync(sql, new NewUser(Login, Email: "admin@localhost", IsAdmin: true), Actor.System).ConfigureAwait(false);
                if (added is null && !isWanted) return false;
                var id = await sql.LongAsync("SELECT id FROM users WHERE login_key = $1", Login).ConfigureAwait(false);
                var token = await TokenStore.InsertAsync(sql, id!.Value, new NewToken("first start"), plaintext, Actor.System).ConfigureAwait(false);
                return token is not null ? true : throw new InvalidOperationException($"the account {Login} has too many tokens");
            },
            cancellationToken).ConfigureAwait(false);
        if (isNew) await WriteAsync(file, plaintext, cancellationToken).ConfigureAwait(false);
        return isNew;
    }

    // The row is durable before the file: a crash between leaves a token that nobody knows, and the next start writes another.
    private static async ValueTask WriteAsync(string file, Secret plaintext, CancellationToken cancellationToken)
    {
        var temporary = $"{file}.new";
        File.Delete(temporary);
#pragma warning disable CA1416 // runs on Linux only: Libc, flock
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
#pragma warning restore CA1416
        var stream = new FileStream(temporary, options);
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(plaintext.Reveal() + "\n"), cancellationToken).ConfigureAwait(false);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
    }
}
