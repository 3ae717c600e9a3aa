using System.Diagnostics;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.SparseIndex;

/// <summary>One crate whose sparse file is being rendered.</summary>
/// <param name="crateId">The crate's row.</param>
/// <param name="continue">Starts the span of the work, as a child of a cause.</param>
internal sealed class Rendering(long crateId, Func<string?, Activity> @continue)
{
    public long CrateId => crateId;

    /// <summary>Whether there was anything to do.</summary>
    public bool IsFound { get; private set; }

    /// <summary>Whether a bell for the caches is due.</summary>
    public bool Purge { get; set; }

    /// <summary>What it failed with; null: it did not.</summary>
    public Exception? Failure { get; set; }

    /// <summary>The claim it works under; null: closed, or none.</summary>
    public Claim? Claim { get; set; }

    /// <summary>The span of the work.</summary>
    public Activity Activity { get; private set; } = null!;

    /// <summary>What was written, by path, and why caches must forget it.</summary>
    public Dictionary<string, string> Touched { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the file stands now; null: nowhere.</summary>
    public string? Path { get; set; }

    /// <summary>The highest revision claimed by renderers of this process that began after this one had written.</summary>
    public long Allowed { get; set; }

    /// <summary>There is work, under a claim.</summary>
    public void Begin(Claim claim)
    {
        (IsFound, Claim) = (true, claim);
        Activity = @continue(claim.Lack?.Cause.TraceParent);
    }
}
