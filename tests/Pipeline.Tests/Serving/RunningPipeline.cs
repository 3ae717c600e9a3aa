using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Pipeline.Contracts.Index;

namespace Pipeline.Tests.Serving;

/// <summary>
/// A registry that serves on a port of its own, with a data folder of its own, seen from outside: over HTTP and through its files. When it
/// is disposed of, nothing may be left undone: no publish undecided, no projection behind, no failure that the test did not announce.
/// </summary>
public abstract class RunningPipeline : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HashSet<string> _expectedFailures = [];
    private int _accounts;

    /// <summary>The data folder.</summary>
    public string Data => _folder["data"];

    /// <summary>The port.</summary>
    public int Port { get; } = FreePort();

    /// <summary>Where it serves.</summary>
    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>Its sparse index, as cargo is told of it.</summary>
    public string SparseIndex => $"sparse+{Url}/index/";

    /// <summary>Its git index, as cargo is told of it.</summary>
    public string GitIndex => $"{Url}/git/index";

    /// <summary>The bare repository behind the git index.</summary>
    public string Repository => Path.Combine(Data, "index.git");

    /// <summary>Sends requests; the publish of a test may take minutes.</summary>
    public HttpClient Http { get; private set; } = null!;

    /// <summary>The administrator that the first start made.</summary>
    public Account Admin => new("admin", File.ReadAllText(Path.Combine(Data, "admin-token")).Trim());

    /// <summary>An account that did not exist before, with a verified address.</summary>
    public async Task<Account> AddUserAsync(string login)
    {
        await AdminAsync(HttpMethod.Post, "users", new { login, name = $"{login} of the tests", email = $"{login}@example.com", is_admin = false });
        var answer = await AdminAsync(HttpMethod.Post, "tokens", new { user = login, name = "tests" });
        return new Account(login, answer.GetProperty("plaintext").GetString()!);
    }

    /// <summary>The same, where any login will do.</summary>
    public Task<Account> AddUserAsync() => AddUserAsync($"user-{Interlocked.Increment(ref _accounts)}");

    /// <summary>Asks the admin API.</summary>
    public async Task<JsonElement> AdminAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = Request(method, $"/api/v1/admin/{path}", Admin.Token);
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue($"{method} {path}: {(int)response.StatusCode} {text}");
        return Json(text);
    }

    /// <summary>Publishes: one PUT, and its answer whatever it is.</summary>
    public async Task<PublishReply> PublishAsync(byte[] body, string? token, params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = Request(HttpMethod.Put, "/api/v1/crates/new", token);
        request.Content = new ByteArrayContent(body);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request);
        var id = response.Headers.TryGetValues("Publish-Id", out var ids) ? ids.Single() : null;
        return new PublishReply(response.StatusCode, await response.Content.ReadAsStringAsync(), id, response.Headers.Location);
    }

    /// <summary>The state of a publish, from its status URL.</summary>
    public async Task<JsonElement> PublishStatusAsync(string id) => Json(await GetAsync($"/api/v1/publishes/{id}") ?? "").GetProperty("publish");

    /// <summary>The lines of a crate's file in the sparse index, without their ends; null: there is none.</summary>
    public async Task<string[]?> IndexLinesAsync(string crate)
    {
        var file = await GetAsync($"/index/{IndexPath.Of(crate)}");
        if (file is null) return null;
        file.ShouldEndWith("\n");
        return file[..^1].Split('\n');
    }

    /// <summary>What stands at a path; null: nothing (404).</summary>
    public async Task<string?> GetAsync(string path, string? token = null)
    {
        using var request = Request(HttpMethod.Get, path, token);
        using var response = await Http.SendAsync(request);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        response.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        return await response.Content.ReadAsStringAsync();
    }

    /// <summary>The bytes of a version, from where cargo takes them.</summary>
    public Task<byte[]> DownloadAsync(string crate, string version) => Http.GetByteArrayAsync(new Uri($"{Url}/api/v1/crates/{crate}/{version}/download"));

    /// <summary>Says that failures of a stage belong to the test.</summary>
    public void ExpectFailures(string stage) => _expectedFailures.Add(stage);

    /// <summary>Returns once every publish is decided and every projection up to date.</summary>
    public Task SettleAsync(double seconds = 30) => Deadline.UntilAsync(seconds, UnfinishedAsync);

    /// <summary>Returns once every projection shows the newest revision of a crate.</summary>
    public Task SettleAsync(string crate) => Deadline.UntilAsync(30, async () =>
    {
        var projections = (await AdminAsync(HttpMethod.Get, $"crates/{crate}")).GetProperty("crate").GetProperty("projections").EnumerateArray();
        var behind = projections.Where(projection => projection.GetProperty("reached").GetInt64() < projection.GetProperty("wanted").GetInt64()).ToList();
        return behind.Count == 0 ? null : $"behind on {crate}: {string.Join(", ", behind.Select(projection => projection.GetRawText()))}";
    });

    /// <summary>What git says of the index repository.</summary>
    public async Task<string> GitAsync(params IEnumerable<string> arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", Repository, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = git.StandardError.ReadToEndAsync();
        var output = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        git.ExitCode.ShouldBe(0, await error);
        return output;
    }

    /// <summary>The messages of the commits that touched a crate's file in the git index, newest first.</summary>
    public async Task<string[]> CommitsOfAsync(string crate) =>
        (await GitAsync("log", "--format=%s", "HEAD", "--", IndexPath.Of(crate))).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (IsRunning)
            {
                await SettleAsync();
                await ShouldHaveNoFailuresAsync();
            }
        }
        finally
        {
            await StopAsync();
            Http.Dispose();
            _folder.Dispose();
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Whether it serves now.</summary>
    protected abstract bool IsRunning { get; }

    /// <summary>Ends it.</summary>
    protected abstract Task StopAsync();

    /// <summary>To be called when it serves.</summary>
    protected void Serves() => Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = true })
    {
        BaseAddress = new Uri(Url),
        Timeout = TimeSpan.FromMinutes(5),
        DefaultRequestHeaders = { { "User-Agent", "pipeline-tests" } },
    };

    private static HttpRequestMessage Request(HttpMethod method, string path, string? token)
    {
        var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        return request;
    }

    /// <summary>A port that nothing listens on.</summary>
    protected static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private async Task<string?> UnfinishedAsync()
    {
        var status = await AdminAsync(HttpMethod.Get, "status");
        var undecided = status.GetProperty("counts").GetProperty("undecided").GetInt64();
        if (undecided > 0) return $"{undecided} publishes are undecided";
        foreach (var projection in status.GetProperty("projections").EnumerateArray())
        {
            if (projection.GetProperty("behind").GetInt64() is > 0 and var behind) return $"the projection {projection.GetProperty("kind")} is behind on {behind} crates";
        }

        return null;
    }

    private async Task ShouldHaveNoFailuresAsync()
    {
        var failed = await AdminAsync(HttpMethod.Get, "failures?limit=100");
        var unexpected = failed.GetProperty("failures").EnumerateArray().Where(failure => !_expectedFailures.Contains(failure.GetProperty("stage").GetString()!));
        unexpected.Select(failure => failure.GetRawText()).ShouldBeEmpty();
    }
}
