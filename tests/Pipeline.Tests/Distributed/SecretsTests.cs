using System.Text;
using Pipeline.Tests.Generating;

namespace Pipeline.Tests.Distributed;

/// <summary>No secret is seen anywhere: not in a log, a trace, an error, a command's output, an answer, or the list of processes.</summary>
[Collection("distributed")]
public sealed class SecretsTests(DistributedShape shape)
{
    private const string Wrong = "marked-wrong-password";

    private readonly List<(string Where, string Text)> _seen = [];

    [Fact]
    public async Task No_secret_is_seen_whatever_succeeds_or_fails()
    {
        var pipeline = shape.Pipeline;
        var user = shape.User;

        // Success, refusal, a token that is none, a command each for people and machines.
        var accepted = await pipeline.PublishAsync(CrateFile.Body("secretive", "1.0.0", CrateFile.Plain("secretive", "1.0.0")), user.Token);
        accepted.ShouldBeAccepted();
        See("an accepted publish", accepted.Text);
        See("a refused publish", (await pipeline.PublishAsync(CrateFile.Body("secretive", "2.0.0", [0]), user.Token)).Text);
        See("a stranger's publish", (await pipeline.PublishAsync(CrateFile.Body("secretive", "3.0.0", [0]), Wrong)).Text);
        foreach (var path in new[] { "/metrics", "/readyz", "/healthz", "/openapi/v1.json", $"/api/v1/publishes/{accepted.PublishId}", "/index/config.json" }) See(path, await pipeline.GetAsync(path) ?? "");
        foreach (var path in new[] { "status", "failures?limit=100", "publishes?limit=100", "users", "tokens?user=" + user.Login, "crates/secretive" })
            See($"admin {path}", (await pipeline.AdminAsync(HttpMethod.Get, path)).GetRawText());
        foreach (var command in new[] { "status", "failed list", "publish list", $"publish show {accepted.PublishId}", "user list", $"token list --user {user.Login}", "crate show secretive" })
        {
            foreach (var json in new[] { "", " --json" }) See(command, await pipeline.RunAsync((command + json).Split(' ')));
        }

        // Every service is cut off while something wants it.
        foreach (var cable in new[] { pipeline.DatabaseCable, pipeline.StoreCable, pipeline.BrokerCable })
        {
            cable.Cut();
            try
            {
                See("a publish in an outage", (await pipeline.PublishAsync(CrateFile.Body("secretive", "4.0.0", [0]), user.Token, ("Prefer", "respond-async"))).Text);
                using var ready = await pipeline.Http.GetAsync(new Uri("/readyz", UriKind.Relative));
                See("readiness in an outage", await ready.Content.ReadAsStringAsync());
            }
            finally
            {
                cable.Mend();
            }
        }

        await pipeline.SettleAsync(120);

        // Processes that cannot start say why, and no more.
        await RefusedAsync("Database__Postgres", $"Host=127.0.0.1;Port=1;Username=me;Password={Wrong};Database=none;Timeout=2");
        await RefusedAsync("Database__Postgres", $"Host=127.0.0.1;Password={Wrong};NoSuchKey=1");
        await RefusedAsync("Bus__RabbitMq", $"http://me:{Wrong}@127.0.0.1/");
        await RefusedAsync("Bus__RabbitMq", Wrong);
        await RefusedAsync("Store__S3__NoSuchKey", Wrong);

        See("the logs of all processes", pipeline.Log);
        foreach (var line in pipeline.CommandLines) See("a command line", line);
        foreach (var bytes in shape.Receiver.Raw) See("telemetry", Encoding.Latin1.GetString(bytes));

        foreach (var (what, value) in shape.Secrets.Append(("a wrong password", Wrong)))
        {
            value.Length.ShouldBeGreaterThan(8, what);
            foreach (var (where, text) in _seen)
            {
                var at = text.IndexOf(value, StringComparison.Ordinal);
                if (at >= 0) Assert.Fail($"{what} is seen in {where}: …{text[Math.Max(0, at - 300)..at]}«here»");
            }
        }
    }

    private async Task RefusedAsync(string key, string value)
    {
        var (code, output, error) = await shape.Pipeline.TryAsync([($"PIPELINE__{key}", value)], "worker", "--only", "sweep");
        code.ShouldBe(1, $"{key}: {error}");
        error.ShouldContain("error: ");
        See($"the refusal of {key}", output + error);
    }

    private void See(string where, string text) => _seen.Add((where, text));
}
