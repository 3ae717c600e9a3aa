using System.Collections.Frozen;
using System.Reflection;

namespace Pipeline.Contracts;

/// <summary>Reads lists of facts that are built into an assembly as text, one entry a line.</summary>
public static class EmbeddedLines
{
    /// <summary>The lines of a resource, compared ordinally.</summary>
    /// <exception cref="InvalidOperationException">The assembly was built without that resource.</exception>
    public static FrozenSet<string> ReadSet(Assembly assembly, string name)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        using var stream = assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"no resource {name} in {assembly.GetName().Name}");
        using var reader = new StreamReader(stream);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
                lines.Add(line);
        }

        return lines.ToFrozenSet(StringComparer.Ordinal);
    }
}
