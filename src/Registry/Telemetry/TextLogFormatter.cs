using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Pipeline.Contracts;

namespace Pipeline.Registry.Telemetry;

/// <summary>
/// One line for people: time, level, category, message. Unlike the framework's, it lets no control character through: what strangers send
/// ends in messages, and who reads the log reads it on a terminal.
/// </summary>
internal sealed class TextLogFormatter() : ConsoleFormatter(FormatterName)
{
    /// <summary>The name it is chosen by.</summary>
    public const string FormatterName = "pipeline-text";

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = LogText.Message(logEntry.Formatter(logEntry.State, logEntry.Exception), logEntry.State);
        var time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"{time} {Level(logEntry.LogLevel)}: {logEntry.Category}[{logEntry.EventId.Id}] {Printable.OneLine(message)}"));
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(' ');
            textWriter.Write(Printable.OneLine(LogText.Exception(exception)));
        }

        textWriter.Write('\n');
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
