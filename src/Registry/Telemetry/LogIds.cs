using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Logs;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// Gives every exported log record the ids of the publish it was written for, also where its text does not name them, and cuts what it repeats
/// of strangers' input.
/// </summary>
internal sealed class LogIds : BaseProcessor<LogRecord>
{
    /// <inheritdoc/>
    public override void OnEnd(LogRecord data)
    {
        if (data.FormattedMessage is { } message) data.FormattedMessage = LogText.Message(message, data.Attributes);
        if (data.Attributes is { } values && values.Any(static value => !ReferenceEquals(LogText.Value(value.Value), value.Value)))
            data.Attributes = [.. values.Select(static value => KeyValuePair.Create(value.Key, LogText.Value(value.Value)))];
        var ids = Of(Activity.Current);
        if (ids.Count == 0) return;
        var attributes = data.Attributes;
        if (attributes is not null) ids.RemoveAll(id => attributes.Any(attribute => attribute.Key == id.Key));
        data.Attributes = attributes is null ? ids : [.. attributes, .. ids];
    }

    /// <summary>The ids that an activity, or the one around it, is about.</summary>
    internal static List<KeyValuePair<string, object?>> Of(Activity? activity)
    {
        const int outermost = 8;
        var ids = new List<KeyValuePair<string, object?>>();
        for (var level = 0; activity is not null && ids.Count == 0 && level < outermost; level++, activity = activity.Parent)
        {
            foreach (var (key, value) in activity.TagObjects)
            {
                if (key is Tracing.PublishId or Tracing.CrateName or Tracing.CrateVersion or Tracing.Stage) ids.Add(new(key, value));
            }
        }

        return ids;
    }
}
