using Pipeline.Cli.Hosting;

namespace Pipeline.Cli.Tests;

/// <summary>What is wrong with the configuration is one sentence that names the key, before anything is served.</summary>
public class ConfigurationTests
{
    [Theory]
    [InlineData("Publsh:HoldSeconds=5", "Publsh:HoldSeconds")]
    [InlineData("Publish:HoldSecond=5", "Publish:HoldSecond")]
    [InlineData("Publish:HoldSeconds:More=5", "Publish:HoldSeconds:More")]
    [InlineData("Publish=5", "Publish")]
    [InlineData("Nonsense=1", "Nonsense")]
    [InlineData("GitServe:Paralel=1", "GitServe:Paralel")]
    [InlineData("Store:S3:Buckt=abc", "Store:S3:Buckt")]
    [InlineData("Workers:Only:x=sweep", "Workers:Only:x")]
    [InlineData("Workers:Only:0=nonsense", "Workers:Only")]
    [InlineData("Cdn:Targets:0:Nam=a", "Cdn:Targets:0:Nam")]
    [InlineData("RateLimits:Yank:Brst=1", "RateLimits:Yank:Brst")]
    [InlineData("Logging=Debug", "Logging")]
    [InlineData("Logging:LogLevel:Default=Loud", "Logging:LogLevel:Default")]
    [InlineData("Telemetry:OtlpHeaders=secret", "Telemetry:OtlpHeaders")]
    [InlineData("Telemetry:OtlpHeaders=a=b,", "Telemetry:OtlpHeaders")]
    [InlineData("Telemetry:OtlpHeaders==b", "Telemetry:OtlpHeaders")]
    [InlineData("Publish:HoldSeconds=-1", "Publish:HoldSeconds")]
    [InlineData("Publish:HoldSeconds=NaN", "Publish:HoldSeconds")]
    [InlineData("Publish:HoldSeconds=1e300", "Publish:HoldSeconds")]
    [InlineData("Publish:HoldSeconds=soon", "Publish:HoldSeconds")]
    [InlineData("Publish:BlankSeconds=0", "Publish:BlankSeconds")]
    [InlineData("Publish:MaxEntries=-1", "Publish:MaxEntries")]
    [InlineData("Publish:MaxUploadBytes=99999999999", "Publish:MaxUploadBytes")]
    [InlineData("Workers:TarballConcurrency=0", "Workers:TarballConcurrency")]
    [InlineData("Workers:SweepSeconds=0", "Workers:SweepSeconds")]
    [InlineData("Workers:Prefetch:sweep=0", "Workers:Prefetch:sweep")]
    [InlineData("GitServe:Parallel=0", "GitServe:Parallel")]
    [InlineData("RateLimits:Yank:Burst=-1", "RateLimits:Yank:Burst")]
    [InlineData("Database:MaxConnections=0", "Database:MaxConnections")]
    [InlineData("Schedules:KeepSlotsHours=-3", "Schedules:KeepSlotsHours")]
    [InlineData("Registry:PublicUrl=crates", "Registry:PublicUrl")]
    [InlineData("Registry:PublicUrl=http://x/", "Registry:PublicUrl")]
    [InlineData("Notices:AllowedNetworks:0=ten", "Notices:AllowedNetworks")]
    [InlineData("Mirror:AllowedNetworks:0=ten", "Mirror:AllowedNetworks")]
    public async Task A_wrong_key_or_value_is_a_sentence_that_names_it(string setting, string key)
    {
        using var session = new TestSession();

        var code = await session.RunAsync("up", "--port", "0", "--data", Path.Combine(session.Data, "data"), "--set", setting);

        code.ShouldBe(1, session.Error);
        session.Error.ShouldStartWith("error: ");
        session.Error.ShouldContain(key);
        session.Error.Trim().ShouldNotContain("\n");
        session.Error.Length.ShouldBeLessThan(500);
        session.Error.ShouldNotContain("secret");
        session.Output.ShouldBe("");
    }

    [Fact]
    public void Every_section_has_its_keys() =>
        ConfigurationKeys.Records.OrderBy(static record => record.Name, StringComparer.Ordinal).Select(static record => record.Name)
            .ShouldBe(new[]
            {
                "BusOptions", "CdnOptions", "DatabaseOptions", "GitIndexOptions", "GitServeOptions", "MailOptions", "MirrorOptions", "NoticeOptions", "PublishOptions",
                "RateLimitOptions", "RegistryOptions", "ScheduleOptions", "StoreOptions", "TelemetryOptions", "UpkeepOptions", "UpstreamOptions", "WorkerOptions",
            });

    [Fact]
    public void Every_documented_key_exists()
    {
        var documented = File.ReadLines(RepositoryFiles.Path("ops/config.md")).Select(static line => line.Split(" | "))
            .Where(static cells => cells.Length >= 3 && cells[0].StartsWith("| `", StringComparison.Ordinal) && cells[0].Contains(':', StringComparison.Ordinal))
            .Select(static cells => cells[0][3..^1]).ToList();
        documented.Count.ShouldBeGreaterThan(100);
        documented.Where(static key => !ConfigurationKeys.Exists(key.Replace(":N:", ":0:", StringComparison.Ordinal))).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(2048, 1024, 0, false)]
    [InlineData(200 << 20, 100 << 20, 0, true)]
    [InlineData(200 << 20, 100 << 20, 100 << 20, false)]
    [InlineData(110 << 20, 100 << 20, 0, false)]
    public void Memory_is_given_back_when_the_process_is_quiet_and_it_is_worth_it(long used, long before, long allocated, bool due) =>
        MemoryReturn.IsDue(used, before, allocated).ShouldBe(due);
}
