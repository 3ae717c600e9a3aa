using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Pipeline.Contracts;
using Pipeline.Contracts.Cdn;
using Pipeline.Registry.Cdn;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Cdn;

/// <summary>CloudFront on the wire: a server that checks signature, headers and limits as the provider does, and refuses on demand.</summary>
public sealed class CloudFrontWireTests
{
    private const string Secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    private static readonly XNamespace Space = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

    [Fact]
    public async Task Invalidations_are_signed_and_stay_within_the_limits()
    {
        var fake = new FakeCloudFront(Secret);
        await using var server = FakeServer.Start(fake.Answer);
        var options = PurgedRegistry.Options(Target(server.Url, "session"));
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        for (var i = 0; i < 1200; i++) await harness.PurgeAsync(options, $"cr/at/crate-{i}");

        await harness.DeliverAsync(new PurgeCdn());

        fake.Invalidated.Count.ShouldBe(1200);
        fake.Invalidated.ShouldContain("/index/cr/at/crate-7");
        server.Received.Count.ShouldBe(2);
        (await harness.LongAsync("SELECT COUNT(*) FROM purges WHERE outcome = 'accepted'")).ShouldBe(1200);
    }

    [Fact]
    public async Task Too_many_in_progress_is_waited_for_half_a_minute_doubling_and_the_same_batch_is_the_same_invalidation()
    {
        var fake = new FakeCloudFront(Secret) { Refusal = "TooManyInvalidationsInProgress" };
        await using var server = FakeServer.Start(fake.Answer);
        var options = PurgedRegistry.Options(Target(server.Url));
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());
        (await harness.FailuresAsync()).ShouldBe(["transient/cdn-too-many"]);
        (await harness.LongAsync("SELECT CASE WHEN next_try_at - now_us() BETWEEN 29000000 AND 38000000 THEN 1 ELSE 0 END FROM cdn_targets")).ShouldBe(1);
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());
        (await harness.LongAsync("SELECT CASE WHEN next_try_at - now_us() BETWEEN 59000000 AND 76000000 THEN 1 ELSE 0 END FROM cdn_targets")).ShouldBe(1);

        fake.Refusal = null;
        fake.CutAfterAccepting = true;
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());
        (await harness.PurgesAsync()).ShouldBe(["c index/3/f/foo failed 3"]);
        fake.CutAfterAccepting = false;
        await harness.WaitedAsync();
        await harness.DeliverAsync(new PurgeCdn());

        (await harness.PurgesAsync()).ShouldBe(["c index/3/f/foo accepted"]);
        fake.References.Distinct().Count().ShouldBe(1, "what was accepted before the answer was lost is not invalidated twice");
    }

    [Theory]
    [InlineData("wrong", "fault/PurgeRefusedException", "c: the cache refuses our credentials (403)")]
    [InlineData("NoSuchDistribution", "fault/PurgeRefusedException", "c: CloudFront does not know the distribution")]
    [InlineData("Throttling", "transient/cdn-busy", "c: CloudFront asks to wait (Throttling)")]
    [InlineData("ServiceUnavailable", "transient/cdn-away", "c: the cache fails (503)")]
    public async Task A_refusal_is_a_failure_row_without_a_secret(string refusal, string failure, string text)
    {
        var fake = new FakeCloudFront(refusal == "wrong" ? "another secret" : Secret) { Refusal = refusal == "wrong" ? null : refusal };
        await using var server = FakeServer.Start(fake.Answer);
        var options = PurgedRegistry.Options(Target(server.Url));
        await using var harness = await WorkerHarness.StartAsync("purge-cdn", cdn: options);
        await harness.PurgeAsync(options, "3/f/foo");

        await harness.DeliverAsync(new PurgeCdn());

        (await harness.FailuresAsync()).ShouldBe([failure]);
        (await harness.TextAsync("SELECT text FROM failures")).ShouldBe(text);
        (await harness.PurgesAsync()).ShouldBe(["c index/3/f/foo failed 1"]);
    }

    private static CdnTarget Target(string url, string? session = null) => new()
    {
        Name = "c",
        Kind = CdnKind.CloudFront,
        IndexUrls = ["https://crates.example/index/"],
        DistributionId = "EDFDVBD6EXAMPLE",
        AccessKey = "AKIDEXAMPLE",
        SecretKey = new Secret(Secret),
        SessionToken = session is null ? null : new Secret(session),
        Endpoint = url,
    };

    /// <summary>Checks as AWS documents it, with code of its own.</summary>
    private sealed class FakeCloudFront(string secret)
    {
        public string? Refusal { get; set; }

        public bool CutAfterAccepting { get; set; }

        public List<string> Invalidated { get; } = [];

        public List<string> References { get; } = [];

        public Reply Answer(Received received)
        {
            lock (Invalidated)
            {
                if (Refusal is not null) return Error(Refusal == "NoSuchDistribution" ? 404 : Refusal == "ServiceUnavailable" ? 503 : 400, Refusal);
                if (received.Path != "/2020-05-31/distribution/EDFDVBD6EXAMPLE/invalidation" || received.Method != "POST") return Error(404, "NoSuchResource");
                if (!IsSigned(received)) return Error(403, "SignatureDoesNotMatch");
                var batch = XDocument.Parse(received.Text).Root!;
                var paths = batch.Descendants(Space + "Path").Select(path => path.Value).ToList();
                if (batch.Name != Space + "InvalidationBatch" || batch.Element(Space + "Paths")!.Element(Space + "Quantity")!.Value != paths.Count.ToString(CultureInfo.InvariantCulture))
                    return Error(400, "InconsistentQuantities");
                if (paths.Any(path => path[0] is not ('/' or '#') || path.Contains('*'))) return Error(400, "InvalidArgument");
                if (paths.Count > 3000) return Error(400, "TooManyInvalidationsInProgress");
                var reference = batch.Element(Space + "CallerReference")!.Value;
                if (!References.Contains(reference)) Invalidated.AddRange(paths);
                References.Add(reference);
                return CutAfterAccepting ? Reply.Cut : new Reply(201, $"<Invalidation xmlns=\"{Space}\"><Id>I1</Id><Status>InProgress</Status></Invalidation>");
            }
        }

        private static Reply Error(int status, string code) =>
            new(status, $"<?xml version=\"1.0\"?><ErrorResponse xmlns=\"{Space}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>");

        private bool IsSigned(Received received)
        {
            var parts = received.Headers["Authorization"]["AWS4-HMAC-SHA256 ".Length..].Split(", ").Select(part => part.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
            var scope = parts["Credential"].Split('/');
            var signed = parts["SignedHeaders"].Split(';');
            var time = received.Headers["X-Amz-Date"];
            var age = DateTimeOffset.UtcNow - DateTimeOffset.ParseExact(time, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            if (scope is not ["AKIDEXAMPLE", _, "us-east-1", "cloudfront", "aws4_request"] || scope[1] != time[..8] || age.Duration() > TimeSpan.FromMinutes(5)) return false;
            if (!signed.Contains("host") || !signed.Contains("x-amz-date") || received.Headers.ContainsKey("X-Amz-Security-Token") != signed.Contains("x-amz-security-token")) return false;
            var canonical = new StringBuilder($"POST\n{received.Path}\n\n");
            foreach (var name in signed) canonical.Append($"{name}:{received.Headers[name].Trim()}\n");
            canonical.Append($"\n{parts["SignedHeaders"]}\n{Convert.ToHexStringLower(SHA256.HashData(received.Body))}");
            var text = $"AWS4-HMAC-SHA256\n{time}\n{string.Join('/', scope.Skip(1))}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())))}";
            var key = scope.Skip(1).Aggregate(Encoding.UTF8.GetBytes("AWS4" + secret), (key, part) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part)));
            return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text))) == parts["Signature"];
        }
    }
}
