using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pipeline.Cli.Importing;

namespace Pipeline.Cli.Tests.Importing;

public sealed class ImportCommandTests : IDisposable
{
    private const string Accepted = """{"crate":{"id":"a"},"warnings":{"invalid_categories":[],"invalid_badges":[],"other":[]}}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("cli-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Files_are_published_dependencies_first_with_the_json_cargo_would_send()
    {
        Save("b", "1.0.0", "c");
        Save("c", "1.0.0");
        using var session = new TestSession(Registry(_ => (HttpStatusCode.OK, Accepted)));
        (await session.RunAsync("import", _folder, "--packaged-for", "crates-io", "--json", "--jobs", "1")).ShouldBe(0);

        var puts = session.Requests.Where(request => request.Line == "PUT /api/v1/crates/new").ToList();
        puts.Select(put => JsonIn(put.Body).GetProperty("name").GetString()).ShouldBe(["c", "b"]);
        JsonIn(puts[1].Body).GetProperty("deps")[0].TryGetProperty("registry", out _).ShouldBeFalse();
        CrateIn(puts[1].Body).ShouldBe(File.ReadAllBytes(Path.Combine(_folder, "b-1.0.0.crate")));
        puts[0].Request.Headers.Contains("Pipeline-Allow-Missing-Dependencies").ShouldBeFalse();
        Result(session).GetProperty("published").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Without_packaged_for_the_files_were_made_for_the_registry_as_it_calls_itself()
    {
        var manifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\n"
            + "here = { version = \"1\", registry-index = \"sparse+https://crates.example.com/index/\" }\nthere = \"1\"\n";
        File.WriteAllBytes(Path.Combine(_folder, "a-1.0.0.crate"), CrateBuilder.Build("a-1.0.0", manifest));
        using var session = new TestSession(Registry(_ => (HttpStatusCode.OK, Accepted)));
        (await session.RunAsync("import", _folder, "--allow-missing-dependencies")).ShouldBe(0);

        var put = session.Requests.Single(request => request.Line == "PUT /api/v1/crates/new");
        put.Request.Headers.GetValues("Pipeline-Allow-Missing-Dependencies").ShouldBe(["true"]);
        JsonIn(put.Body).GetProperty("deps").EnumerateArray().Select(dep => dep.TryGetProperty("registry", out var registry) ? registry.GetString() : null)
            .ShouldBe([null, "https://github.com/rust-lang/crates.io-index"]);
    }

    [Fact]
    public async Task A_refusal_is_listed_with_its_reason_and_the_exit_code_says_so()
    {
        Save("bad", "1.0.0");
        Save("good", "1.0.0");
        using var session = new TestSession(Registry(body =>
            body.Contains("\"bad\"", StringComparison.Ordinal) ? (HttpStatusCode.BadRequest, """{"errors":[{"detail":"no such luck"}]}""") : (HttpStatusCode.OK, Accepted)));
        (await session.RunAsync("import", _folder)).ShouldBe(ExitCodes.Failed);
        session.Error.ShouldContain($"{Path.Combine(_folder, "bad-1.0.0.crate")}: no such luck");
        session.Output.ShouldContain("2 files in ");
        session.Output.ShouldContain("1 published, 0 there already, 1 failed");
    }

    [Fact]
    public async Task A_version_that_is_there_with_the_same_bytes_counts_as_done()
    {
        var checksum = Convert.ToHexStringLower(SHA256.HashData(Save("a", "1.0.0")));
        using var session = new TestSession((request, _) => request.Method == HttpMethod.Put
            ? (HttpStatusCode.BadRequest, """{"errors":[{"detail":"crate version `1.0.0` is already uploaded"}]}""")
            : request.RequestUri!.AbsolutePath == "/api/v1/crates/a/1.0.0" ? (HttpStatusCode.OK, $"{{\"version\":{{\"checksum\":\"{checksum}\"}}}}") : NotFound);
        (await session.RunAsync("import", _folder, "--json")).ShouldBe(0);
        Result(session).GetProperty("present").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_version_that_is_there_with_other_bytes_is_a_failure()
    {
        Save("a", "1.0.0");
        using var session = new TestSession((request, _) => request.Method == HttpMethod.Put
            ? (HttpStatusCode.BadRequest, """{"errors":[{"detail":"crate version `1.0.0` is already uploaded"}]}""")
            : (HttpStatusCode.OK, """{"version":{"checksum":"00"},"api":"http://127.0.0.1:1"}"""));
        (await session.RunAsync("import", _folder, "--json")).ShouldBe(ExitCodes.Failed);
        Result(session).GetProperty("failed")[0].GetProperty("reason").GetString().ShouldBe("crate version `1.0.0` is already uploaded");
    }

    [Theory]
    [InlineData("   \n{\"crate\":{}}", null)]
    [InlineData("", null)]
    [InlineData("   {\"errors\":[{\"detail\":\"late no\"}]}", "late no")]
    [InlineData("{\"warnings\":{\"other\":[\"see http://x/api/v1/publishes/1\"]}}", "undecided: see http://x/api/v1/publishes/1")]
    [InlineData("OK", "the server answered with something that is not JSON")]
    public async Task The_body_of_a_200_holds_the_verdict(string body, string? reason)
    {
        var publisher = Publisher(_ => (HttpStatusCode.OK, body), out _);
        var (end, said) = await publisher.PublishAsync(Json(), [], TestContext.Current.CancellationToken);
        (end, said).ShouldBe((reason is null ? ImportEnd.Published : ImportEnd.Failed, reason));
    }

    [Fact]
    public async Task An_overloaded_registry_is_waited_for_longer_each_time()
    {
        var answers = new Queue<HttpStatusCode>([HttpStatusCode.ServiceUnavailable, HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK]);
        var publisher = Publisher(_ => (answers.Dequeue(), ""), out var pauses);
        (await publisher.PublishAsync(Json(), [], TestContext.Current.CancellationToken)).End.ShouldBe(ImportEnd.Published);
        pauses.Count.ShouldBe(3);
        pauses.ShouldBe(pauses.Order());
    }

    [Fact]
    public async Task A_registry_that_stays_away_is_given_up_with_a_reason()
    {
        var publisher = Publisher(_ => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"), out var pauses);
        var (end, reason) = await publisher.PublishAsync(Json(), [], TestContext.Current.CancellationToken);
        end.ShouldBe(ImportEnd.Failed);
        reason!.ShouldContain("no registry answers");
        pauses.Count.ShouldBe(9);
        pauses.ShouldAllBe(pause => pause <= TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_registry_that_hangs_is_tried_again()
    {
        var answers = new Queue<Func<(HttpStatusCode, string)>>([() => throw new TaskCanceledException(), () => (HttpStatusCode.OK, "")]);
        var publisher = Publisher(_ => answers.Dequeue()(), out var pauses);
        (await publisher.PublishAsync(Json(), [], TestContext.Current.CancellationToken)).End.ShouldBe(ImportEnd.Published);
        pauses.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_path_that_is_not_there_is_an_error()
    {
        using var session = new TestSession();
        (await session.RunAsync("import", Path.Combine(_folder, "nothing"))).ShouldBe(ExitCodes.Failed);
        session.Error.ShouldContain("there is no file or folder");
    }

    private static (HttpStatusCode Status, string Body) NotFound => (HttpStatusCode.NotFound, """{"errors":[{"detail":"Not Found"}]}""");

    private static Func<HttpRequestMessage, string, (HttpStatusCode Status, string Body)> Registry(Func<string, (HttpStatusCode Status, string Body)> publish) => (request, body) =>
        request.Method == HttpMethod.Put ? publish(body)
        : request.RequestUri!.AbsolutePath == "/index/config.json" ? (HttpStatusCode.OK, """{"dl":"x","api":"https://crates.example.com"}""")
        : NotFound;

    private static CratePublisher Publisher(Func<string, (HttpStatusCode Status, string Body)> answer, out List<TimeSpan> pauses)
    {
        var taken = pauses = [];
        var http = new HttpClient(new TestSession((_, body) => answer(body)).Session.Handler()) { BaseAddress = new Uri("http://127.0.0.1:1/") };
        return new CratePublisher(http, allowMissing: false, (pause, _) =>
        {
            taken.Add(pause);
            return Task.CompletedTask;
        });
    }

    private static PublishJson Json() => PublishJson.Derive("a-1.0.0.crate", [], new RegistryOfCrates("crates-io"));

    private static JsonElement Result(TestSession session) => JsonDocument.Parse(session.Output).RootElement;

    private static JsonElement JsonIn(string body)
    {
        var bytes = Encoding.Latin1.GetBytes(body);
        return JsonDocument.Parse(bytes.AsMemory(4, BinaryPrimitives.ReadInt32LittleEndian(bytes))).RootElement;
    }

    private static byte[] CrateIn(string body)
    {
        var bytes = Encoding.Latin1.GetBytes(body);
        var at = 4 + BinaryPrimitives.ReadInt32LittleEndian(bytes);
        BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at)).ShouldBe(bytes.Length - at - 4);
        return bytes[(at + 4)..];
    }

    private byte[] Save(string name, string version, params string[] dependencies)
    {
        var crate = CrateBuilder.Library(name, version, dependencies);
        File.WriteAllBytes(Path.Combine(_folder, $"{name}-{version}.crate"), crate);
        return crate;
    }
}
