using System.CommandLine;

namespace Pipeline.Cli.Commands;

internal static class CheckCommand
{
    public static Command Create(Session session) => new("check", "x");
}
