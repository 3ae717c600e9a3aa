using System.Buffers;
using System.Text;

namespace Pipeline.Contracts.Index;

/// <summary>Puts the stored halves of a crate's lines together to its index file.</summary>
public static class IndexFile
{
    /// <summary>
    /// The file's bytes: one line a version in the order given (ascending publication time, §3.3), every line ended by <c>\n</c>, the last
    /// too. No versions give no bytes: the file is then deleted, not emptied (§3.7).
    /// </summary>
    /// <param name="lines">Per version: <see cref="IndexLine.RenderSplit"/>'s head, the yank state now, its tail.</param>
    public static byte[] Render(IEnumerable<(string Head, bool Yanked, string Tail)> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var bytes = new ArrayBufferWriter<byte>(4096);
        foreach (var (head, yanked, tail) in lines)
            WriteLine(bytes, head, yanked, tail);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Writes one version's line with its end, for who renders many files through one buffer.</summary>
    public static void WriteLine(IBufferWriter<byte> bytes, string head, bool yanked, string tail)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(tail);
        Encoding.UTF8.GetBytes(head, bytes);
        bytes.Write(yanked ? "true"u8 : "false"u8);
        Encoding.UTF8.GetBytes(tail, bytes);
        bytes.Write("\n"u8);
    }
}
