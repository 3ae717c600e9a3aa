using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Pipeline.Registry.Tests.Store;

/// <summary>A request as it came over the wire.</summary>
internal sealed record FakeRequest(string Method, string Target, Dictionary<string, string> Headers, byte[] Body)
{
    /// <summary>Bucket and key.</summary>
    public string Path => Uri.UnescapeDataString(Target.Split('?')[0].TrimStart('/'));

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>What goes wrong with one request.</summary>
internal sealed record Fault
{
    /// <summary>The status answered instead; 0: the right one.</summary>
    public int Status { get; init; }

    public string Code { get; init; } = "InternalError";

    /// <summary>Whether the request is carried out all the same.</summary>
    public bool IsDone { get; init; }

    /// <summary>No answer at all.</summary>
    public bool Hangs { get; init; }

    /// <summary>After how many bytes the body stops.</summary>
    public int? StopsAfter { get; init; }

    /// <summary>Whether the connection is closed where the body stops.</summary>
    public bool Cuts { get; init; }
}

/// <summary>
/// An S3 server of a few lines that fails on demand, spoken to over a socket. Its error texts repeat the request's headers, as real
/// servers repeat the access key and what was signed.
/// </summary>
internal sealed class FakeS3 : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    public FakeS3()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Endpoint => $"http://{_listener.LocalEndpoint}";

    /// <summary>What the server was asked, in order.</summary>
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    /// <summary>What it keeps, by bucket and key.</summary>
    public ConcurrentDictionary<string, (byte[] Content, string? Checksum)> Objects { get; } = new();

    /// <summary>Asked before each request; null: nothing goes wrong.</summary>
    public Func<FakeRequest, Fault?> Plan { get; set; } = static _ => null;

    /// <summary>The requests as <c>METHOD first-segment</c>.</summary>
    public string[] Log => [.. Requests.Select(request => $"{request.Method} {request.Path.Split('/')[1]}")];

    public async ValueTask DisposeAsync()
    {
        if (_serving.IsCompleted) return;
        await _end.CancelAsync();
        _listener.Stop();
        await _serving;
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                connections.Add(ServeAsync(client));
            }
        }
        // One that is stopped before it first listens says that it does not listen.
        catch (Exception e) when (e is OperationCanceledException or SocketException || (e is InvalidOperationException && _end.IsCancellationRequested))
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var stream = new BufferedStream(client.GetStream());
        try
        {
            while (await ReadAsync(stream) is { } request)
            {
                Requests.Enqueue(request);
                var fault = Plan(request);
                if (fault?.Hangs == true) await Task.Delay(Timeout.Infinite, _end.Token);
                var (status, headers, body) = fault is null || fault.IsDone || fault.Status == 0 ? Do(request) : (fault.Status, "", []);
                if (fault is { Status: > 0 })
                {
                    var echo = string.Join(' ', request.Headers.Select(header => $"{header.Key}={header.Value}"));
                    (status, headers, body) = (fault.Status, "", Encoding.UTF8.GetBytes($"<Error><Code>{fault.Code}</Code><Message>{echo}</Message><AWSAccessKeyId>{echo}</AWSAccessKeyId></Error>"));
                }

                await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} X\r\n{headers}Content-Length: {body.Length}\r\n\r\n")), _end.Token);
                if (request.Method == "HEAD") body = [];
                await stream.WriteAsync(body.AsMemory(0, Math.Min(body.Length, fault?.StopsAfter ?? int.MaxValue)), _end.Token);
                await stream.FlushAsync(_end.Token);
                if (fault is { StopsAfter: not null, Cuts: false }) await Task.Delay(Timeout.Infinite, _end.Token);
                if (fault is { Cuts: true }) return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client went away or the test is over.
        }
    }

    private async Task<FakeRequest?> ReadAsync(BufferedStream stream)
    {
        var lines = new List<string>();
        for (var line = new StringBuilder(); ;)
        {
            var next = new byte[1];
            if (await stream.ReadAsync(next, _end.Token) == 0) return null;
            line.Append((char)next[0]);
            if (next[0] != '\n') continue;
            if (line.Length == 2) break;
            lines.Add(line.ToString().TrimEnd());
            line.Clear();
        }

        var first = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        if (headers.ContainsKey("Expect"))
        {
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _end.Token);
            await stream.FlushAsync(_end.Token);
        }

        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _end.Token);
        return new FakeRequest(first[0], first[1], headers, body);
    }

    private (int Status, string Headers, byte[] Body) Do(FakeRequest request)
    {
        if (request.Target.Contains("list-type=2", StringComparison.Ordinal)) return List(request);
        switch (request.Method)
        {
            case "PUT":
                var stored = (request.Body, request.Header("x-amz-meta-sha256"));
                if (request.Header("If-None-Match") == "*") return (Objects.TryAdd(request.Path, stored) ? 200 : 412, "", []);
                Objects[request.Path] = stored;
                return (200, "", []);
            case "DELETE":
                Objects.TryRemove(request.Path, out _);
                return (204, "", []);
            default:
                if (!Objects.TryGetValue(request.Path, out var found)) return (404, "", "<Error><Code>NoSuchKey</Code></Error>"u8.ToArray());
                var sum = found.Checksum is null ? "" : $"x-amz-meta-sha256: {found.Checksum}\r\n";
                return (200, $"ETag: \"{Tag(found.Content)}\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n{sum}", found.Content);
        }
    }

#pragma warning disable CA5351 // S3's tag of an object is its MD5, and the SDK compares what it reads with it
    private static string Tag(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351

    private (int Status, string Headers, byte[] Body) List(FakeRequest request)
    {
        const int page = 2;
        var query = request.Target.Split('?')[1].Split('&').Select(part => part.Split('=')).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
        var bucket = request.Path.Trim('/');
        var keys = Objects.Keys.Where(key => key.StartsWith($"{bucket}/{query["prefix"]}", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(key => key[(bucket.Length + 1)..]).ToArray();
        var start = query.TryGetValue("continuation-token", out var token) ? int.Parse(token, CultureInfo.InvariantCulture) : 0;
        var entries = keys.Skip(start).Take(page).Select(key => $"<Contents><Key>{key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>");
        var more = start + page < keys.Length ? $"<IsTruncated>true</IsTruncated><NextContinuationToken>{start + page}</NextContinuationToken>" : "<IsTruncated>false</IsTruncated>";
        return (200, "", Encoding.UTF8.GetBytes($"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{more}{string.Concat(entries)}</ListBucketResult>"));
    }
}
