using System.Diagnostics;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// The trace of a publish. It begins with the PUT, whose context its row keeps (<c>publishes.trace_parent</c>); every later stage is a
/// child of that context, whoever rang for it and in whichever process, and what follows a change is a child of the stage that made the
/// change (<c>changes.trace_parent</c>). So a publish is one trace even when the sweep took it up hours later.
/// </summary>
public static class Tracing
{
    /// <summary>The name of the source and of the meter.</summary>
    public const string Name = "Pipeline";

    /// <summary>The publish's id.</summary>
    public const string PublishId = "publish.id";

    /// <summary>The crate's name.</summary>
    public const string CrateName = "crate.name";

    /// <summary>The version.</summary>
    public const string CrateVersion = "crate.version";

    /// <summary>The stage.</summary>
    public const string Stage = "stage";

    // What exporters take of one span.
    private const int MostLinks = 128;

    /// <summary>Our own spans.</summary>
    public static readonly ActivitySource Source = new(Name);

    /// <summary>
    /// Starts a span as a child of a cause. The activity exists even when nobody listens, so that logs and failures always know their
    /// trace; it is then never exported and costs about a microsecond.
    /// </summary>
    /// <param name="name">The span's name.</param>
    /// <param name="traceParent">W3C context of the cause; null: whatever is current.</param>
    public static Activity Start(string name, string? traceParent)
    {
        var here = Activity.Current;
        if (traceParent is null || !ActivityContext.TryParse(traceParent, null, isRemote: true, out var cause)) return Source.StartActivity(name) ?? Unheard(name).Start();
        // The bell came along with the trace: its delivery stands between the cause and this.
        if (here?.TraceId == cause.TraceId) return Source.StartActivity(name) ?? Unheard(name).Start();
        var links = here is null || !Source.HasListeners() ? null : new[] { new ActivityLink(here.Context) };
        return Source.StartActivity(name, ActivityKind.Internal, cause, links: links) ?? Unheard(name).SetParentId(cause.TraceId, cause.SpanId, cause.TraceFlags).Start();
    }

    /// <summary>Starts a span that begins a trace of its own, for work that serves many traces.</summary>
    /// <param name="name">The span's name.</param>
    /// <param name="causes">W3C contexts of what it serves; linked, as many as exporters take.</param>
    public static Activity StartRoot(string name, IEnumerable<string?> causes)
    {
        ArgumentNullException.ThrowIfNull(causes);
        // Whatever is current would become its parent.
        Activity.Current = null;
        if (!Source.HasListeners()) return Unheard(name).Start();
        var links = new List<ActivityLink>();
        foreach (var traceParent in causes)
        {
            if (links.Count < MostLinks && ActivityContext.TryParse(traceParent, null, out var cause)) links.Add(new ActivityLink(cause));
        }

        return Source.StartActivity(name, ActivityKind.Internal, default(ActivityContext), links: links) ?? Unheard(name).Start();
    }

    /// <summary>
    /// Writes down, in the trace of a cause, that something done for many was done for it too: a span from the start of the common work
    /// until now, with a link to that work. Nothing when nobody listens.
    /// </summary>
    public static void Note(string name, string? traceParent, DateTime started, Activity work, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!Source.HasListeners() || !ActivityContext.TryParse(traceParent, null, isRemote: true, out var cause)) return;
        using var span = Source.CreateActivity(name, ActivityKind.Internal, cause, tags: null, links: [new ActivityLink(work.Context)]);
        if (span is null) return;
        foreach (var (key, value) in tags) span.SetTag(key, value);
        span.SetStartTime(started).Start();
    }

    /// <summary>The context to keep of what happens now. There is always one: without it a publish's stages would be traces of their own.</summary>
    public static string Current() => Activity.Current?.Id ?? $"00-{ActivityTraceId.CreateRandom().ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-00";

    /// <summary>Says what an activity is about, for spans and logs.</summary>
    public static void SetPublish(this Activity activity, string publishId, string crate, string version)
    {
        ArgumentNullException.ThrowIfNull(activity);
        activity.SetTag(PublishId, publishId).SetTag(CrateName, crate).SetTag(CrateVersion, version);
    }

    private static Activity Unheard(string name) => new(name);
}
