using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pipeline.Registry.Bus;
using Pipeline.Registry.Database;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Options;
using Pipeline.Registry.Store;
using Pipeline.Registry.Tests;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests;

/// <summary>The API on a real web server, a real database and a real store, each in its own folder and on its own port.</summary>
public sealed class ApiFixture : IAsyncDisposable
{
    private readonly TempDatabase _temp;
    private readonly WebApplication _app;
    private readonly Dictionary<string, User> _users = new(StringComparer.Ordinal);

    private ApiFixture(TempDatabase temp, WebApplication app, FolderStore store, RecordingDoorbell bells)
    {
        (_temp, _app, Store, Bells) = (temp, app, store, bells);
        Url = app.Urls.First();
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Url) };
    }

    public HttpClient Client { get; }

    public string Url { get; }

    public FolderStore Store { get; }

    public RecordingDoorbell Bells { get; }

    public TempDatabase Temp => _temp;

    public ManualClock Clock => _temp.Clock;

    public IServiceProvider Services => _app.Services;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<ApiFixture> CreateAsync(
        RegistryOptions? registry = null, RateLimitOptions? limits = null, Action<IServiceCollection>? change = null, Action<WebApplication>? map = null)
    {
        var temp = await TempDatabase.CreateAsync();
        var store = new FolderStore(Path.Combine(temp.Folder, "objects"));
        var bells = new RecordingDoorbell();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.WebHost.ConfigureKestrel(KestrelSetup.Apply).UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(temp.Clock);
        builder.Services.AddSingleton<IDatabase>(temp.Database);
        builder.Services.AddSingleton<IObjectStore>(store);
        builder.Services.AddSingleton<IDoorbell>(bells);
        builder.Services.AddSingleton(registry ?? new RegistryOptions { PublicUrl = "https://crates.example" });
        builder.Services.AddSingleton(limits ?? new RateLimitOptions { Enabled = false });
        builder.Services.AddSingleton(new PublishOptions());
        builder.Services.AddSingleton<Stages>();
        builder.Services.AddSingleton<ThisProcess>();
        builder.Services.AddApi();
        change?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapApi();
        map?.Invoke(app);
        await app.StartAsync(Cancel);
        return new ApiFixture(temp, app, store, bells);
    }

    /// <summary>The account of a login, made when it is first asked for.</summary>
    public async Task<User> UserAsync(string login, bool isAdmin = false)
    {
        if (_users.TryGetValue(login, out var known)) return known;
        var (user, _) = await Services.GetRequiredService<UserStore>().AddAsync(new NewUser(login, $"{login} the user", $"{login}@example.com", isAdmin), Actor.System, Cancel);
        return _users[login] = user!;
    }

    /// <summary>A fresh token of a login.</summary>
    public async Task<string> TokenAsync(string login, string[]? endpoints = null, string[]? crates = null)
    {
        var user = await UserAsync(login);
        var (created, _) = await Services.GetRequiredService<TokenStore>().CreateAsync(user.Id, new NewToken("test", endpoints, crates), Actor.System, Cancel);
        return created!.Plaintext.Reveal();
    }

    /// <summary>Sends a request; a body that is a string goes as it is, anything else as JSON.</summary>
    public async Task<Answer> SendAsync(string method, string path, string? token = null, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        request.Content = body switch
        {
            null => null,
            string text => new StringContent(text, Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body),
        };
        using var response = await Client.SendAsync(request, Cancel);
        return new Answer(response, await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    public Task<Answer> GetAsync(string path, string? token = null, params (string Name, string Value)[] headers) => SendAsync("GET", path, token, null, headers);

    public Task<long?> CountAsync(string table) => _temp.LongAsync($"SELECT COUNT(*) FROM {table}").AsTask();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        await _temp.DisposeAsync();
    }
}

/// <summary>An answer that was read whole.</summary>
public sealed class Answer
{
    private static readonly string[] Skipped = ["Date", "Server", "Transfer-Encoding", "Connection"];

    public Answer(HttpResponseMessage response, byte[] body)
    {
        Status = (int)response.StatusCode;
        Body = body;
        // As sent, not as the client's parsers would write it.
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            if (!Skipped.Contains(name, StringComparer.OrdinalIgnoreCase)) Headers[name] = string.Join(", ", values);
        }
    }

    public int Status { get; }

    public byte[] Body { get; }

    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The text of the error, read as strictly as cargo reads it.</summary>
    public string Error
    {
        get
        {
            Headers["Content-Type"].ShouldBe("application/json");
            var errors = Json.GetProperty("errors");
            errors.GetArrayLength().ShouldBe(1);
            return errors[0].GetProperty("detail").GetString()!;
        }
    }

    public void ShouldFail(int status, string text)
    {
        Error.ShouldBe(text);
        Status.ShouldBe(status);
    }

    public void ShouldBeOk()
    {
        Status.ShouldBe(200, Text);
        Json.GetProperty("ok").GetBoolean().ShouldBeTrue();
    }
}
