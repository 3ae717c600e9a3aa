using System.Buffers.Text;

namespace Pipeline.Workers.Tarballs;

/// <summary>
/// The records of one pax header that bear on the rules, read as crates.io's reader does: line by line, the first <c>path</c> counts,
/// every <c>size</c> is checked, an empty line ends them. A value with a line break in it is malformed there, so it is here.
/// </summary>
internal struct PaxRecords
{
    /// <summary>Where the first path stands in the content that was parsed; null without one.</summary>
    public Range? Path { get; private set; }

    /// <summary>Whether there is a link path.</summary>
    public bool HasLinkPath { get; private set; }

    /// <summary>The last size, which is how many bytes are read.</summary>
    public ulong? Size { get; private set; }

    /// <summary>Whether two sizes differ, so that one of them cannot be the header's.</summary>
    public bool SizesDiffer { get; private set; }

    /// <summary>Whether some size is not a number.</summary>
    public bool HasBadSize { get; private set; }

    /// <summary>Whether a user or group id is not a number: the entry they describe cannot be read.</summary>
    public bool HasBadOwner { get; private set; }

    /// <summary>Reads the content of a pax header; false when it is malformed.</summary>
    public static bool TryParse(ReadOnlySpan<byte> content, out PaxRecords records)
    {
        records = default;
        if (!content.IsEmpty && content[^1] != '\n') return false;
        var start = 0;
        while (start < content.Length)
        {
            var line = content[start..][..content[start..].IndexOf((byte)'\n')];
            if (line.IsEmpty) return true;
            var blank = line.IndexOf((byte)' ');
            if (blank < 0 || !TryParseNumber(line[..blank], out var length) || length != (ulong)line.Length + 1) return false;
            var equals = line[(blank + 1)..].IndexOf((byte)'=');
            if (equals < 0) return false;
            var value = blank + 1 + equals + 1;
            records.Take(line[(blank + 1)..(value - 1)], line[value..], start + value);
            start += line.Length + 1;
        }
        return true;
    }

    /// <summary>A number as Rust parses one: digits, a plus before them allowed, no blanks, within 64 bits.</summary>
    private static bool TryParseNumber(ReadOnlySpan<byte> text, out ulong value)
    {
        if (text is [(byte)'+', _, ..]) text = text[1..];
        value = 0;
        return !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(text, out value, out var used) && used == text.Length;
    }

    private void Take(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, int position)
    {
        if (key.SequenceEqual("path"u8)) Path ??= position..(position + value.Length);
        else if (key.SequenceEqual("linkpath"u8)) HasLinkPath = true;
        else if (key.SequenceEqual("uid"u8) || key.SequenceEqual("gid"u8)) HasBadOwner |= !TryParseNumber(value, out _);
        else if (key.SequenceEqual("size"u8))
        {
            if (!TryParseNumber(value, out var size)) HasBadSize = true;
            SizesDiffer |= Size is { } other && other != size;
            Size = size;
        }
    }
}
