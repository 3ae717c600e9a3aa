using System.CommandLine;

namespace Pipeline.Cli.Commands;

internal static class ImportCommand
{
    public static Command Create(Session session) => new("import", "x");
}
