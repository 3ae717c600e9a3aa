using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Pipeline.Registry.Git;

/// <summary>Writes commits in the language of <c>git fast-import</c> (git-engine §4).</summary>
internal static class FastImportStream
{
    private const int FlushAt = 1 << 16;

    /// <summary>
    /// Writes a batch, ended by <c>get-mark</c> for the last commit's id and <c>done</c>: git takes a stream that was cut off before
    /// <c>done</c> for a failure and moves nothing.
    /// </summary>
    /// <param name="stream">Git's input.</param>
    /// <param name="branch">The ref that the commits go to.</param>
    /// <param name="tip">The commit to build on: an id, not a name, so that git refuses when the branch has moved meanwhile. Null: none yet.</param>
    /// <param name="commits">The commits, oldest first.</param>
    /// <param name="committer">Name, address in angle brackets, Unix seconds and zone.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static async ValueTask WriteAsync(Stream stream, string branch, string? tip, IReadOnlyList<IndexCommit> commits, string committer, CancellationToken cancellationToken)
    {
        var pipe = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: FlushAt, leaveOpen: true));
        var pending = 0L;
        for (var i = 0; i < commits.Count; i++)
        {
            pending += WriteHead(pipe, branch, commits[i].Message, committer, from: i == 0 ? tip : null, marked: i == commits.Count - 1);
            foreach (var path in commits[i].Deletes) pending += Write(pipe, $"D {path}\n");
            foreach (var file in commits[i].Upserts)
            {
                pending += Write(pipe, $"M 100644 inline {file.Path}\ndata {file.Content.Length}\n");
                pipe.Write(file.Content.Span);
                pending += file.Content.Length + Write(pipe, "\n");
            }

            if (pending < FlushAt) continue;
            await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
            pending = 0;
        }

        Write(pipe, "get-mark :1\ndone\n");
        await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
        await pipe.CompleteAsync().ConfigureAwait(false);
    }

    private static long WriteHead(PipeWriter pipe, string branch, string message, string committer, string? from, bool marked)
    {
        var length = Encoding.UTF8.GetByteCount(message);
        var written = Write(pipe, $"commit {branch}\n{(marked ? "mark :1\n" : "")}committer {committer}\ndata {length}\n");
        written += Encoding.UTF8.GetBytes(message, pipe);
        return written + Write(pipe, from is null ? "\n" : $"\nfrom {from}\n");
    }

    private static long Write(PipeWriter pipe, string text) => Encoding.UTF8.GetBytes(text, pipe);
}
