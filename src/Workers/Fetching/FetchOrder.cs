using System.Globalization;
using Pipeline.Registry.Database;
using Pipeline.Registry.Upstreams;

namespace Pipeline.Workers.Fetching;

/// <summary>In which order the files of a full mirror are fetched: newest first.</summary>
public static class FetchOrder
{
    // An index that says "tomorrow" gets no further ahead than that.
    private const long Latest = UpstreamFiles.AskedTurn - 1;

    /// <summary>A file's turn; the highest is fetched first.</summary>
    /// <param name="publishedAt">The line's <c>pubtime</c>, RFC 3339; null or no time: the line does not say.</param>
    /// <param name="updatedAt">When its crate's index file came, UTC microseconds: in place of the time of publication.</param>
    /// <param name="newer">How many lines of the crate stand behind it: of many crates that came together, the newest version of each goes first.</param>
    public static long Turn(string? publishedAt, long updatedAt, int newer)
    {
        var at = DateTimeOffset.TryParse(publishedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? Microseconds.Of(time) : updatedAt - newer;
        return Math.Clamp(at, 1, Latest);
    }
}
