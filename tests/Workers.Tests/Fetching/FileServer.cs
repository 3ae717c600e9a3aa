using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Pipeline.Workers.Tests.Fetching;

/// <summary>An upstream's file server that answers byte by byte as a test wants, also as no server should.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly ConcurrentDictionary<string, Func<Stream, CancellationToken, Task>> _answers = new(StringComparer.Ordinal);
    private readonly Task _loop;

    public FileServer()
    {
        _listener.Start();
        _loop = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>The template of its files.</summary>
    public string Dl => $"{Url}/{{crate}}/{{version}}";

    /// <summary>The paths that were asked for, in order.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    /// <summary>The paths that are always answered so, whatever else is said; a prefix.</summary>
    public void On(string path, Func<Stream, CancellationToken, Task> answer) => _answers[path] = answer;

    public void File(string path, byte[] content) => On(path, (stream, stop) => SendAsync(stream, 200, content, stop));

    public void Status(string path, int status) => On(path, (stream, stop) => SendAsync(stream, status, [], stop));

    public void Redirect(string path, string location) => On(path, (stream, stop) => HeadAsync(stream, $"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n", stop));

    /// <summary>A head that promises more than comes.</summary>
    public void Cut(string path, byte[] content, long promised) => On(path, async (stream, stop) =>
    {
        await HeadAsync(stream, string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\n"), stop);
        await stream.WriteAsync(content, stop);
    });

    /// <summary>A head, some bytes, and then nothing.</summary>
    public void Stall(string path) => On(path, async (stream, stop) =>
    {
        await HeadAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n", stop);
        await stream.WriteAsync(new byte[10], stop);
        await Task.Delay(Timeout.Infinite, stop);
    });

    /// <summary>Bytes without a length, for as long as anybody reads them.</summary>
    public void Endless(string path, Action<long> sent) => On(path, async (stream, stop) =>
    {
        await HeadAsync(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", stop);
        var chunk = new byte[64 * 1024];
        for (long total = 0; total < 5_000_000_000; total += chunk.Length)
        {
            sent(total);
            await stream.WriteAsync("10000\r\n"u8.ToArray(), stop);
            await stream.WriteAsync(chunk, stop);
            await stream.WriteAsync("\r\n"u8.ToArray(), stop);
        }
    });

    public static Task HeadAsync(Stream stream, string head, CancellationToken stop) => stream.WriteAsync(Encoding.ASCII.GetBytes(head + "Connection: close\r\n\r\n"), stop).AsTask();

    /// <summary>From now on nobody answers.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static async Task SendAsync(Stream stream, int status, byte[] content, CancellationToken stop)
    {
        await HeadAsync(stream, string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Said\r\nContent-Length: {content.Length}\r\n"), stop);
        await stream.WriteAsync(content, stop);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var path = (await reader.ReadLineAsync(_stop.Token))?.Split(' ').ElementAtOrDefault(1);
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
                {
                }

                if (path is null) return;
                _asked.Enqueue(path);
                await (_answers.TryGetValue(path, out var answer) ? answer(stream, _stop.Token) : SendAsync(stream, 404, [], _stop.Token));
                await stream.FlushAsync(_stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The client has gone, which is what some tests are about.
            }
        }
    }
}
