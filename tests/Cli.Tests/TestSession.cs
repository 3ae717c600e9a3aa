using System.Net;
using System.Text;

namespace Pipeline.Cli.Tests;

/// <summary>A command line with a server of canned answers.</summary>
internal sealed class TestSession : IDisposable
{
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly Func<HttpRequestMessage, string, (HttpStatusCode Status, string Body)> _answer;

    public TestSession(Func<HttpRequestMessage, string, (HttpStatusCode Status, string Body)>? answer = null)
    {
        _answer = answer ?? ((_, _) => throw new InvalidOperationException("no request was expected"));
        Data = Directory.CreateTempSubdirectory("cli-test-").FullName;
        _environment["PIPELINE_DATA"] = Data;
        _environment["PIPELINE_URL"] = "http://127.0.0.1:1";
        _environment["PIPELINE_TOKEN"] = "cioToken";
    }

    public string Data { get; }

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    /// <summary>Method and URL of every request, and its body as text.</summary>
    public List<(string Line, string Body, HttpRequestMessage Request)> Requests { get; } = [];

    public string? Answer { get; set; }

    public TestSession Set(string name, string? value)
    {
        if (value is null) _environment.Remove(name);
        else _environment[name] = value;
        return this;
    }

    public Task<int> RunAsync(params string[] args) => CommandLine.RunAsync(args, Session, TestContext.Current.CancellationToken);

    public Session Session => new(_environment.GetValueOrDefault, _output, _error, Answer is null ? null : new StringReader(Answer), () => new Server(this));

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        Directory.Delete(Data, recursive: true);
    }

    private sealed class Server(TestSession session) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = request.Content is null ? "" : Encoding.Latin1.GetString(await request.Content.ReadAsByteArrayAsync(cancellationToken));
            lock (session.Requests) session.Requests.Add(($"{request.Method} {request.RequestUri!.PathAndQuery}", body, request));
            var (status, text) = session._answer(request, body);
            return new HttpResponseMessage(status) { Content = new StringContent(text) };
        }
    }
}
