using System.Globalization;
using System.Net.Sockets;
using Npgsql;
using Pipeline.Registry.Failures;

namespace Pipeline.Registry.Database;

/// <summary>What an error of PostgreSQL or of the way to it means for the work that met it.</summary>
internal enum PostgresTrouble
{
    /// <summary>A mistake of the statement: it would fail again.</summary>
    Fault,

    /// <summary>Another transaction was in the way: run the work again at once.</summary>
    Conflict,

    /// <summary>The server answered that it cannot do it now.</summary>
    Busy,

    /// <summary>The server cannot be reached, is going down or coming up, or the connection broke.</summary>
    Away,
}

/// <summary>Tells them apart (PostgreSQL manual, appendix A). Texts name the SQLSTATE and nothing of the connection or of the values.</summary>
internal static class PostgresErrors
{
    /// <summary>What an exception means.</summary>
    public static PostgresTrouble Judge(Exception exception) => exception switch
    {
        PostgresException e => Judge(e.SqlState),
        // A statement that ran into its time limit, or no free connection in time.
        NpgsqlException { InnerException: TimeoutException } => PostgresTrouble.Busy,
        NpgsqlException { InnerException: SocketException or IOException or PostgresException } or NpgsqlException { IsTransient: true } => PostgresTrouble.Away,
        _ => PostgresTrouble.Fault,
    };

    /// <summary>What an SQLSTATE means.</summary>
    public static PostgresTrouble Judge(string sqlState) => sqlState switch
    {
        "40001" or "40P01" => PostgresTrouble.Conflict,
        // Shut down by an operator, crashed, starting up; a connection dropped for being idle; a server that became a standby.
        "57P01" or "57P02" or "57P03" or "57P05" or "25P03" or "25006" => PostgresTrouble.Away,
        // A cancelled statement, a lock that was not to be had, a plan that a migration has outdated.
        "57014" or "55P03" or "0A000" => PostgresTrouble.Busy,
        _ when sqlState.StartsWith("08", StringComparison.Ordinal) => PostgresTrouble.Away,
        // Out of memory, disk or connections; a disk that fails.
        _ when sqlState.StartsWith("53", StringComparison.Ordinal) || sqlState.StartsWith("58", StringComparison.Ordinal) => PostgresTrouble.Busy,
        _ => PostgresTrouble.Fault,
    };

    /// <summary>The failure as the stages know it.</summary>
    public static TransientException Transient(PostgresTrouble trouble, Exception exception)
    {
        var state = exception is PostgresException e ? string.Create(CultureInfo.InvariantCulture, $" (SQLSTATE {e.SqlState})") : "";
        return trouble == PostgresTrouble.Away
            ? new TransientException("database-away", $"the database cannot be reached{state}", exception)
            : new TransientException("database-busy", $"the database cannot be used now{state}", exception);
    }
}
