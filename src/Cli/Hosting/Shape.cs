using Microsoft.Extensions.Configuration;

namespace Pipeline.Cli.Hosting;

/// <summary>What the configuration makes of this process: alone with its data, or one of many.</summary>
/// <param name="OwnsData">The database is a file in the data folder, so no other process may use either.</param>
/// <param name="OwnsBus">Bells are rung in memory: when the process starts, there are none.</param>
internal sealed record Shape(bool OwnsData, bool OwnsBus)
{
    /// <summary>Reads it, and refuses what cannot work.</summary>
    /// <exception cref="InvalidOperationException">A part alone cannot reach the others this way; the text names the key to set.</exception>
    public static Shape Of(IConfiguration configuration, HostRole role)
    {
        var shape = new Shape(configuration["Database:Postgres"] is null, configuration["Bus:RabbitMq"] is null);
        if (role == HostRole.Everything) return shape;
        var command = NameOf(role);
        if (shape.OwnsData) throw new InvalidOperationException($"`pipeline {command}` shares its database with other processes: set Database:Postgres, or run everything in one process with `pipeline up`");
        if (shape.OwnsBus) throw new InvalidOperationException($"`pipeline {command}` shares its bus with other processes: set Bus:RabbitMq, or run everything in one process with `pipeline up`");
        return shape;
    }

    /// <summary>What a process of a role is called: its command, and what it calls itself in telemetry.</summary>
    public static string NameOf(HostRole role) => role switch
    {
        HostRole.Api => "api",
        HostRole.Worker => "worker",
        _ => "all",
    };
}
