using System.Buffers;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>Reads keys: bare, quoted, and dotted.</summary>
internal static class TomlKeys
{
    private static readonly SearchValues<char> Bare =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    /// <summary>Reads a dotted key, with the blanks around its dots and behind it, into <paramref name="parts"/>, which it clears first.</summary>
    /// <param name="scanner">Stands where the key must begin.</param>
    /// <param name="parts">Gets at least one part.</param>
    /// <param name="deepest">The most parts that are allowed here.</param>
    public static bool Read(TomlScanner scanner, List<TomlKey> parts, int deepest)
    {
        parts.Clear();
        while (true)
        {
            scanner.SkipBlanks();
            var start = scanner.Position;
            if (ReadPart(scanner) is not { } name)
                return false;
            if (parts.Count == deepest)
                return scanner.Fail(TomlDocument.TooDeep, scanner.From(start));
            parts.Add(new TomlKey(name, scanner.From(start)));
            scanner.SkipBlanks();
            if (scanner.Current != '.')
                return true;
            scanner.Position++;
        }
    }

    private static string? ReadPart(TomlScanner scanner)
    {
        if (scanner.Current is '"' or '\'')
            return TomlStrings.ReadKey(scanner);
        var length = scanner.Rest.IndexOfAnyExcept(Bare);
        if (length < 0)
            length = scanner.Rest.Length;
        if (length == 0)
        {
            scanner.FailExpected("a key");
            return null;
        }
        scanner.Position += length;
        return scanner.Text.Substring(scanner.Position - length, length);
    }
}
