using System.Diagnostics;
using System.Text;

namespace Pipeline.Bench.Limits;

/// <summary>Runs git with its input and output in memory.</summary>
internal static class GitCommand
{
    /// <summary>Runs it; anything but success is thrown.</summary>
    public static byte[] Run(string repository, ReadOnlyMemory<byte> input, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo("git", ["-C", repository, .. words]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        using var output = new MemoryStream();
        // Both ways at once, or a long answer and a long question block each other.
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        process.StandardInput.BaseStream.Write(input.Span);
        process.StandardInput.Close();
        reading.GetAwaiter().GetResult();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.ToArray() : throw new InvalidOperationException($"git {string.Join(' ', words)} ended with {process.ExitCode}");
    }

    /// <summary>Runs it with input that is written as it is made.</summary>
    public static void Feed(string repository, Action<Stream> write, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo("git", ["-C", repository, .. words]) { RedirectStandardInput = true })!;
        using (var buffered = new BufferedStream(process.StandardInput.BaseStream, 1 << 16)) write(buffered);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"git {string.Join(' ', words)} ended with {process.ExitCode}");
    }

    /// <summary>Runs it without input; its output as text.</summary>
    public static string Text(string repository, params string[] words) => Encoding.UTF8.GetString(Run(repository, default, words));
}
