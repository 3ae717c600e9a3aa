using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Registry.Tests.Telemetry;

public class LogFormatterTests
{
    private static readonly string Endless = new('a', 100_000);

    [Fact]
    public void A_line_has_no_control_character_whatever_strangers_sent()
    {
        var line = Write(new TextLogFormatter(), "GET {Path} failed", "/\u001b[2J\r\nforged: line\u009b\u202e", new InvalidOperationException("a\u0007\nb"));

        line.ShouldEndWith("\n");
        line[..^1].ShouldNotContain("\n");
        line[..^1].Any(char.IsControl).ShouldBeFalse(line);
        line.ShouldMatch("^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z warn: category\\[0\\] GET /\\\\u001b\\[2J forged: line");
    }

    [Fact]
    public void A_value_is_cut_wherever_the_line_repeats_it()
    {
        Write(new TextLogFormatter(), "GET {Path} failed", Endless, null).Length.ShouldBeLessThan(400);
        var json = JsonDocument.Parse(Write(new JsonLogFormatter(), "GET {Path} failed", Endless, null)).RootElement;
        json.GetProperty("message").GetString()!.Length.ShouldBeLessThan(400);
        json.GetProperty("Path").GetString()!.Length.ShouldBe(200);
    }

    [Fact]
    public void The_text_of_an_exception_is_cut_and_its_stack_is_kept()
    {
        var line = Write(new TextLogFormatter(), "failed", null, Thrown(Endless));

        line.Length.ShouldBeLessThan(40_000);
        line.ShouldContain(nameof(Thrown));
    }

    private static InvalidOperationException Thrown(string message)
    {
        try
        {
            throw new InvalidOperationException(message);
        }
        catch (InvalidOperationException e)
        {
            return e;
        }
    }

    private static string Write(ConsoleFormatter formatter, string template, string? path, Exception? exception)
    {
        List<KeyValuePair<string, object?>> state = path is null ? [] : [new("Path", path)];
        state.Add(new("{OriginalFormat}", template));
        var entry = new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(LogLevel.Warning, "category", default, state, exception, (_, _) => template.Replace("{Path}", path, StringComparison.Ordinal));
        using var writer = new StringWriter();
        formatter.Write(entry, null, writer);
        return writer.ToString();
    }
}
