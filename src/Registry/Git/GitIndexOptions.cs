using System.ComponentModel.DataAnnotations;
using Pipeline.Contracts;

namespace Pipeline.Registry.Git;

/// <summary>The git index: where the repository is, who its commits are by, and the remote it is pushed to. Section <c>GitIndex</c>.</summary>
public sealed record GitIndexOptions
{
    /// <summary>The bare repository's folder. Beside it lie its writer's lock and git's home.</summary>
    public string RepositoryPath { get; init; } = ".pipeline/index.git";

    /// <summary>The git program, by name or path.</summary>
    public string Program { get; init; } = "git";

    /// <summary>The committer's name.</summary>
    public string CommitterName { get; init; } = "registry";

    /// <summary>The committer's address.</summary>
    public string CommitterEmail { get; init; } = "registry@localhost";

    /// <summary>How many seconds a new writer waits for the lock of one that has not ended, its children included.</summary>
    [Range(0.0, 86_400.0)]
    public double LockWaitSeconds { get; init; } = 30;

    /// <summary>
    /// How many seconds the one writer among all processes holds its right without renewing it. When a writer dies, its successor begins so much
    /// later; a writer that has nothing to do does not renew.
    /// </summary>
    [Range(0.1, 86_400.0)]
    public double LeaseSeconds { get; init; } = 20;

    /// <summary>The most seconds that a batch, a look-up or a repack may take.</summary>
    [Range(0.1, 86_400.0)]
    public double CommandSeconds { get; init; } = 600;

    /// <summary>
    /// Packs at which small ones are merged. Each batch adds one; 50 cost a committer about a sixth of its rate (git-engine §5),
    /// merging them takes 0.1 s.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int PacksBeforeRepack { get; init; } = 50;

    /// <summary>
    /// With at least so many commits the scheduled squash puts the history away on a branch of its own (<c>Schedules:SquashHours</c>); 0: only an
    /// operator does.
    /// </summary>
    public int SquashAfterCommits { get; init; } = 10_000;

    /// <summary>
    /// The fewest seconds from one batch to the next. A batch costs git about 10 ms of processor time whatever its size, so under load a short
    /// wait makes each commit cheaper; the first change after a pause never waits. Keep it well below a second.
    /// </summary>
    [Range(0.0, 60.0)]
    public double GatherSeconds { get; init; } = 0.5;

    /// <summary>Up to so many changes that wait have a commit each, with crates.io's message; where more wait, one commit holds the batch.</summary>
    public int SeparateCommits { get; init; } = 4;

    /// <summary>
    /// The repository that the index is pushed to: <c>https://</c>, <c>ssh://</c>, <c>file://</c> or an absolute path, without credentials. Null:
    /// none, the index is served from <see cref="RepositoryPath"/>. With one, a change counts as shown only when the remote has confirmed it.
    /// </summary>
    public string? Remote { get; init; }

    /// <summary>The remote's branch.</summary>
    public string RemoteBranch { get; init; } = "master";

    /// <summary>The user of an https remote.</summary>
    public string? RemoteUser { get; init; }

    /// <summary>The password or token of an https remote.</summary>
    public Secret? RemotePassword { get; init; }

    /// <summary>A PEM file with the certificates that an https remote's must come from; null: the system's.</summary>
    public string? RemoteCaFile { get; init; }

    /// <summary>The private key of an ssh remote, without a passphrase.</summary>
    public string? SshKeyFile { get; init; }

    /// <summary>The host keys of an ssh remote, as ssh's <c>known_hosts</c>. No host is trusted at first sight.</summary>
    public string? SshKnownHosts { get; init; }

    /// <summary>The most seconds that a fetch from the remote or a push may take.</summary>
    [Range(0.1, 86_400.0)]
    public double RemoteSeconds { get; init; } = 300;

    /// <summary>The most seconds for which the remote may say nothing.</summary>
    [Range(0.1, 86_400.0)]
    public double RemoteIdleSeconds { get; init; } = 60;

    /// <summary><see cref="CommandSeconds"/> as a span.</summary>
    internal TimeSpan CommandLimit => TimeSpan.FromSeconds(CommandSeconds);
}
