using Pipeline.Contracts.Index;
using Pipeline.Contracts.Publishing;

namespace Pipeline.Registry.Bus;

/// <summary>The bells that speak for several keys at once: one message a stage and batch.</summary>
public static class JoinedBells
{
    /// <summary>The most keys of one message: it stays far below what brokers take, and one process takes no more than it can work on soon.</summary>
    public const int MaxKeys = 64;

    static JoinedBells()
    {
        Add<ValidateTarball, string>(static bell => bell.PublishId, static bell => bell.More, static (id, more) => new ValidateTarball(id) { More = more });
        Add<ReadManifest, string>(static bell => bell.PublishId, static bell => bell.More, static (id, more) => new ReadManifest(id) { More = more });
        Add<PublishDecided, string>(static bell => bell.PublishId, static bell => bell.More, static (id, more) => new PublishDecided(id) { More = more });
        Add<RenderSparse, long>(static bell => bell.CrateId, static bell => bell.More, static (id, more) => new RenderSparse(id) { More = more });
    }

    /// <summary>Whether bells of a kind can be joined.</summary>
    public static bool CanJoin<T>()
        where T : class => Joint<T>.Join is not null;

    /// <summary>Makes one bell of several, at most <see cref="MaxKeys"/>.</summary>
    public static T Join<T>(IReadOnlyList<T> bells)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(bells);
        return bells.Count == 1 ? bells[0] : Joint<T>.Join!(bells);
    }

    /// <summary>The bells of one key each that a bell speaks for.</summary>
    public static IReadOnlyList<T> Split<T>(T bell)
        where T : class => Joint<T>.Split?.Invoke(bell) ?? [bell];

    private static void Add<T, TKey>(Func<T, TKey> first, Func<T, IReadOnlyList<TKey>?> more, Func<TKey, IReadOnlyList<TKey>?, T> make)
        where T : class
    {
        Joint<T>.Join = bells => make(first(bells[0]), [.. bells.Skip(1).Select(first)]);
        Joint<T>.Split = bell => more(bell) is { Count: > 0 } others ? [make(first(bell), null), .. others.Select(key => make(key, null))] : [bell];
    }

    private static class Joint<T>
        where T : class
    {
        public static Func<IReadOnlyList<T>, T>? Join { get; set; }

        public static Func<T, IReadOnlyList<T>>? Split { get; set; }
    }
}
