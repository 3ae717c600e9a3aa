using System.Globalization;

namespace Pipeline.Cli.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Describe
{
    /// <summary>A count with thousands separated.</summary>
    public static string Count(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A size in bytes, KiB or MiB.</summary>
    public static string Size(long bytes)
    {
        FormattableString text = bytes switch
        {
            < 1024 => $"{bytes} B",
            < 1024 * 1024 => $"{bytes / 1024.0:0.0} KiB",
            _ => $"{bytes / 1048576.0:0.0} MiB",
        };
        return text.ToString(CultureInfo.InvariantCulture);
    }
}
