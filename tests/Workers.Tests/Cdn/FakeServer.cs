using System.Collections.Concurrent;
using System.Net;

namespace Pipeline.Workers.Tests.Cdn;

/// <summary>What a client sent, as it was on the wire.</summary>
internal sealed record Received(string Method, string Path, Dictionary<string, string> Headers, byte[] Body)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>What to say to it.</summary>
internal sealed record Reply(int Status, string Body = "", params (string Name, string Value)[] Headers)
{
    /// <summary>The connection is cut within the answer.</summary>
    public static readonly Reply Cut = new(-1);
}

/// <summary>An HTTP server that answers what a test wants: an origin, or a CDN's API.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly Task _loop;

    private FakeServer(HttpListener listener, int port, Func<Received, Task<Reply>> answer)
    {
        (_listener, Port, Answer) = (listener, port, answer);
        _loop = AcceptAsync();
    }

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}";

    public Func<Received, Task<Reply>> Answer { get; set; }

    public IReadOnlyList<Received> Received => [.. _received];

    public static FakeServer Start(Func<Received, Reply> answer) => Start(received => Task.FromResult(answer(received)));

    public static FakeServer Start(Func<Received, Task<Reply>> answer)
    {
        for (var tries = 0; ; tries++)
        {
            var port = Random.Shared.Next(10240, 30000);
            var listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
                return new FakeServer(listener, port, answer);
            }
            catch (HttpListenerException) when (tries < 50)
            {
                listener.Close();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _loop;
    }

    private async Task AcceptAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = HandleAsync(context);
        }
    }

    private async Task HandleAsync(HttpListenerContext context)
    {
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        var headers = context.Request.Headers.AllKeys.ToDictionary(name => name!, name => context.Request.Headers[name]!, StringComparer.OrdinalIgnoreCase);
        var received = new Received(context.Request.HttpMethod, context.Request.RawUrl!, headers, body.ToArray());
        _received.Enqueue(received);
        var reply = await Answer(received);
        try
        {
            if (reply.Status < 0)
            {
                context.Response.ContentLength64 = 1000;
                await context.Response.OutputStream.WriteAsync("cut"u8.ToArray());
                context.Response.Abort();
                return;
            }

            context.Response.StatusCode = reply.Status;
            foreach (var (name, value) in reply.Headers) context.Response.Headers[name] = value;
            context.Response.Close(System.Text.Encoding.UTF8.GetBytes(reply.Body), willBlock: true);
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has gone, which is what some tests are about.
        }
    }
}
