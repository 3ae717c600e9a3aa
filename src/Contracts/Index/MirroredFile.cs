using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Pipeline.Contracts.Index;

/// <summary>One line of a mirrored index file: what must be known of it to find and check its file.</summary>
/// <param name="Version">Its <c>vers</c>.</param>
/// <param name="Checksum">Its <c>cksum</c>, 64 lower-case hex digits.</param>
/// <param name="Yanked">Its flag; false when it has none.</param>
/// <param name="Line">Where its bytes stand in the file, without the line break.</param>
public readonly record struct MirroredLine(CrateVersion Version, string Checksum, bool Yanked, Range Line);

/// <summary>
/// An upstream's index file as it came. Its bytes are never written anew: fields that nobody here knows, their order and spelling, and lines
/// that say the same twice, are all kept. Reading it says whether it may be shown at all: a file cut off on its way must not replace a whole one.
/// </summary>
/// <param name="Name">The crate's name, as its first line spells it.</param>
/// <param name="Lines">The lines in the order of the file; at least one.</param>
public sealed record MirroredFile(string Name, IReadOnlyList<MirroredLine> Lines)
{
    /// <summary>The most bytes of a file; the largest of crates.io has a tenth of it.</summary>
    public const int MaxBytes = 32 << 20;

    private const int MaxLines = 100_000;
    private const int MaxDepth = 32;

    /// <summary>The line whose version is shown when none is named: not yanked before yanked, releases before pre-releases, then the highest.</summary>
    public MirroredLine Default
    {
        get
        {
            var best = Lines[0];
            for (var i = 1; i < Lines.Count; i++)
            {
                if (IsBetter(Lines[i], best)) best = Lines[i];
            }

            return best;
        }
    }

    /// <summary>The line of a version; null: the file has none. Of two lines with one version the last counts, as it does for Cargo.</summary>
    /// <param name="num">The version as the line spells it.</param>
    public MirroredLine? Find(string num)
    {
        for (var i = Lines.Count - 1; i >= 0; i--)
        {
            if (Lines[i].Version.Text == num) return Lines[i];
        }

        return null;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="fileName">The last part of its path: the crate's name in lower case.</param>
    /// <param name="file">The file.</param>
    /// <param name="reason">What is wrong and in which line.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, string fileName, [NotNullWhen(true)] out MirroredFile? file, [NotNullWhen(false)] out string? reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileName);
        file = null;
        reason = bytes.Length > MaxBytes ? $"the file has {bytes.Length} bytes, more than {MaxBytes}" : null;
        if (reason is not null) return false;
        var lines = new List<MirroredLine>();
        string? name = null;
        var (start, number) = (0, 0);
        while (start < bytes.Length)
        {
            number++;
            var length = bytes[start..].IndexOf((byte)'\n');
            if (length < 0) length = bytes.Length - start;
            var line = bytes.Slice(start, length);
            if (!line.Trim(" \r\t"u8).IsEmpty)
            {
                if (lines.Count == MaxLines) reason = $"the file has more than {MaxLines} lines";
                else if (TryReadLine(line, fileName, ref name, start..(start + length), out var read, out var wrong)) lines.Add(read);
                else reason = $"line {number}: {wrong}";
                if (reason is not null) return false;
            }

            start += length + 1;
        }

        if (lines.Count == 0) reason = "the file has no version";
        else file = new MirroredFile(name!, lines);
        return file is not null;
    }

    private static bool TryReadLine(
        ReadOnlySpan<byte> line, string fileName, ref string? name, Range at, out MirroredLine read, [NotNullWhen(false)] out string? wrong)
    {
        read = default;
        var fields = new Fields();
        try
        {
            wrong = fields.Read(line, name);
        }
        catch (JsonException)
        {
            wrong = "it is no JSON object, or was cut off";
        }
        catch (InvalidOperationException)
        {
            // What .NET's reader says of escapes that stand for no text.
            wrong = "it has a text that is none";
        }

        if (wrong is not null) return false;
        name ??= fields.Name;
        if (fields.Name is null) wrong = "it has no `name`";
        else if (!string.Equals(fields.Name, fileName, StringComparison.OrdinalIgnoreCase)) wrong = $"its `name` is not that of the file, {fileName}";
        else if (!CrateVersion.TryParse(fields.Version, out var version)) wrong = "its `vers` is no version";
        else if (!Checksum.TryParse(fields.Checksum, out _)) wrong = "its `cksum` is no SHA-256 in lower-case hex";
        else read = new MirroredLine(version, fields.Checksum!, fields.Yanked, at);
        return wrong is null;
    }

    private static bool IsBetter(MirroredLine one, MirroredLine other)
    {
        if (one.Yanked != other.Yanked) return !one.Yanked;
        if (one.Version.IsPrerelease != other.Version.IsPrerelease) return !one.Version.IsPrerelease;
        return one.Version.CompareTo(other.Version) >= 0;
    }

    private struct Fields
    {
        public string? Name;
        public string? Version;
        public string? Checksum;
        public bool Yanked;

        // The reader checks the whole line; of most fields nothing else is asked.
        public string? Read(ReadOnlySpan<byte> line, string? name)
        {
            var json = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return "it is no JSON object";
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("name"u8)) Name = TakeName(ref json, name);
                else if (json.ValueTextEquals("vers"u8)) Version = TakeText(ref json);
                else if (json.ValueTextEquals("cksum"u8)) Checksum = TakeText(ref json);
                else if (json.ValueTextEquals("yanked"u8)) Yanked = json.Read() && json.TokenType == JsonTokenType.True;
                else json.Skip();
            }

            // Reads to the end of the line: what stands behind the object makes it none.
            return json.Read() ? "it is no JSON object" : null;
        }

        // Nearly always what the line before had.
        private static string? TakeName(ref Utf8JsonReader json, string? name)
        {
            json.Read();
            if (json.TokenType != JsonTokenType.String) return null;
            return name is not null && json.ValueTextEquals(name) ? name : json.GetString();
        }

        private static string? TakeText(ref Utf8JsonReader json)
        {
            json.Read();
            return json.TokenType == JsonTokenType.String ? json.GetString() : null;
        }
    }
}
