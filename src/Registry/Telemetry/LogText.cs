using Pipeline.Contracts;

namespace Pipeline.Registry.Telemetry;

/// <summary>What a log line repeats of what it was given: the one place that cuts it, whatever the log goes to (see <see cref="Quoted"/>).</summary>
internal static class LogText
{
    private const int MaxException = 8 * Quoted.MaxText;

    /// <summary>The message, its values cut.</summary>
    public static string Message(string message, object? state)
    {
        // The framework puts the values in; each that is too long is looked for and cut.
        if (message.Length > Quoted.MaxValue && state is IEnumerable<KeyValuePair<string, object?>> values)
        {
            foreach (var (key, value) in values)
            {
                if (key != Template && value is string { Length: > Quoted.MaxValue } text) message = message.Replace(text, Quoted.Value(text), StringComparison.Ordinal);
            }
        }

        return Quoted.Text(message);
    }

    /// <summary>The name under which the framework gives the text with its holes.</summary>
    public const string Template = "{OriginalFormat}";

    /// <summary>A value of a line.</summary>
    public static object? Value(object? value) => value switch
    {
        string { Length: > Quoted.MaxValue } text => Quoted.Value(text),
        null or string or bool or byte or short or int or long or double or float or decimal => value,
        _ when value.ToString() is { Length: > Quoted.MaxValue } text => Quoted.Value(text),
        _ => value,
    };

    /// <summary>An exception with its stack, the messages in it cut.</summary>
    public static string Exception(Exception exception)
    {
        var text = exception.ToString();
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e.Message.Length > Quoted.MaxText / 4) text = text.Replace(e.Message, Quoted.Text(e.Message[..(Quoted.MaxText / 4)]) + "…", StringComparison.Ordinal);
        }

        return text.Length <= MaxException ? text : text[..MaxException] + "…";
    }
}
