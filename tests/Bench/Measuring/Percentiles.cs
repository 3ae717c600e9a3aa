namespace Pipeline.Bench.Measuring;

/// <summary>Percentiles of measured times.</summary>
internal static class Percentiles
{
    /// <summary>The value that a share of the values does not exceed (nearest rank).</summary>
    public static double Of(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
