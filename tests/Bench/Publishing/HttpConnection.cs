using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace Pipeline.Bench.Publishing;

/// <summary>A kept-alive HTTP/1.1 connection that costs the machine next to nothing, so that what is measured is the server.</summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[64 * 1024];
    private int _bodyStart, _bodyLength;

    /// <summary>Connects to a local port.</summary>
    public HttpConnection(int port)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>The body of the last answer.</summary>
    public ReadOnlySpan<byte> Body => _buffer.AsSpan(_bodyStart, _bodyLength);

    /// <summary>A header of the last answer; empty: it has none such.</summary>
    public string Header(string name)
    {
        var head = System.Text.Encoding.ASCII.GetString(_buffer, 0, _bodyStart);
        var at = head.IndexOf($"\r\n{name}: ", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? "" : head[(at + name.Length + 4)..head.IndexOf("\r\n", at + 2, StringComparison.Ordinal)];
    }

    /// <summary>Sends a whole request and reads the answer; returns its status.</summary>
    public int Send(ReadOnlySpan<byte> request)
    {
        while (!request.IsEmpty) request = request[_socket.Send(request)..];
        var filled = 0;
        int headEnd;
        while ((headEnd = _buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0) filled += Receive(filled);
        var head = _buffer.AsSpan(0, headEnd + 2);
        if (!Utf8Parser.TryParse(head[9..], out int status, out _)) throw new InvalidDataException("not an HTTP answer");
        _bodyStart = headEnd + 4;
        _bodyLength = LengthIn(head);
        while (filled < _bodyStart + _bodyLength) filled += Receive(filled);
        return status;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private int Receive(int filled)
    {
        if (filled == _buffer.Length) Array.Resize(ref _buffer, filled * 2);
        var count = _socket.Receive(_buffer.AsSpan(filled));
        return count > 0 ? count : throw new EndOfStreamException("the server closed the connection");
    }

    private static int LengthIn(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("\r\nContent-Length: "u8);
        if (at < 0) throw new InvalidDataException($"an answer without a length: {System.Text.Encoding.ASCII.GetString(head)}");
        return Utf8Parser.TryParse(head[(at + 18)..], out int length, out _) ? length : throw new InvalidDataException("an answer with a bad length");
    }
}
