using Pipeline.Contracts;
using Pipeline.Registry.Bus.Batches;
using Pipeline.Registry.Truth;

namespace Pipeline.Workers.Manifests;

/// <summary>A publish on its way to its verdict, and how far it has come. A transaction that runs again begins from <see cref="Begin"/>.</summary>
/// <param name="item">Its key in the batch.</param>
/// <param name="publish">Its row.</param>
/// <param name="reject">What the rules that need no database refuse it for; null: nothing.</param>
/// <param name="version">The version it would be; null: it is refused.</param>
internal sealed class Candidate(StageItem<string> item, PublishRow publish, Reject? reject, VersionFacts? version)
{
    public StageItem<string> Item => item;

    public PublishRow Publish => publish;

    /// <summary>Whether the rules that need no database accept it.</summary>
    public bool HasVersion => version is not null;

    public VersionFacts Version => version ?? throw new InvalidOperationException("a refused publish has no version");

    /// <summary>Why it is refused.</summary>
    public Reject? Reject { get; set; } = reject;

    /// <summary>Its reservation.</summary>
    public Reserved.Ours? Ours { get; set; }

    /// <summary>What recording its version did.</summary>
    public Recorded? Recorded { get; set; }

    /// <summary>Whether this transaction wrote its verdict.</summary>
    public bool IsDecided { get; set; }

    /// <summary>Whether it is to reserve again: the reservation, or the crate, was no longer what it had been.</summary>
    public bool IsAgain { get; set; }

    /// <summary>The publishes that waited for this one.</summary>
    public IReadOnlyList<string> Woken { get; set; } = [];

    /// <summary>What its part of the transaction failed with.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Forgets what a transaction before, which did not commit, has noted.</summary>
    public void Begin() => (IsDecided, IsAgain, Recorded, Woken, Failure) = (false, false, null, [], null);
}
