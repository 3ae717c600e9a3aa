using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Pipeline.Registry.Changes;

/// <summary>
/// A place in the change feed: behind a change. Opaque on the wire. It carries the epoch, since a restored database may have given the same
/// places to other changes.
/// </summary>
/// <param name="Epoch">The registry's epoch.</param>
/// <param name="Id">The change it stands behind; 0: before all.</param>
public sealed record ChangeCursor(string Epoch, long Id)
{
    private const int MostText = 256;

    /// <summary>The cursor as it travels.</summary>
    public string ToText() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Id}.{Epoch}")));

    /// <summary>Reads a cursor; false: it is none of any registry of this kind.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ChangeCursor? cursor)
    {
        cursor = null;
        if (text.Length is 0 or > MostText || !Base64Url.IsValid(text)) return false;
        var plain = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
        var dot = plain.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !long.TryParse(plain.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return false;
        cursor = new ChangeCursor(plain[(dot + 1)..], id);
        return true;
    }
}
