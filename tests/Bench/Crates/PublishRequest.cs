using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Pipeline.Bench.Crates;

/// <summary>A publish as the bytes that go over the wire: headers, JSON, archive (crates-io-behaviour §1.1).</summary>
/// <param name="Name">The crate.</param>
/// <param name="Version">The version.</param>
/// <param name="Archive">The .crate file.</param>
/// <param name="Bytes">The whole HTTP request.</param>
internal sealed record PublishRequest(string Name, string Version, byte[] Archive, byte[] Bytes)
{
    /// <summary>The request of a sample crate.</summary>
    public static PublishRequest Make(string name, string version, string token)
    {
        var archive = SampleCrates.Make(name, version);
        var json = Encoding.UTF8.GetBytes(Json(name, version));
        var head = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"PUT /api/v1/crates/new HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: cargo/1.95.0\r\nAccept: application/json\r\nAuthorization: {token}\r\nContent-Length: {8 + json.Length + archive.Length}\r\n\r\n"));

        var bytes = new byte[head.Length + 8 + json.Length + archive.Length];
        head.CopyTo(bytes, 0);
        var body = bytes.AsSpan(head.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(body, (uint)json.Length);
        json.CopyTo(body[4..]);
        BinaryPrimitives.WriteUInt32LittleEndian(body[(4 + json.Length)..], (uint)archive.Length);
        archive.CopyTo(body[(8 + json.Length)..]);
        return new PublishRequest(name, version, archive, bytes);
    }

    // The members that cargo sends, in its order.
    private static string Json(string name, string version) =>
        $$"""{"name":"{{name}}","vers":"{{version}}","deps":[],"features":{"default":["std"],"std":[]},"authors":["Ann Author <ann@example.org>"],"description":"A sample crate that measures how fast a registry takes crates","documentation":"https://docs.example.org/{{name}}","homepage":"https://example.org/{{name}}","readme":"# {{name}}\n\nA sample.\n","readme_file":"README.md","keywords":["sample","bench","registry"],"categories":["development-tools"],"license":"MIT OR Apache-2.0","license_file":null,"repository":"https://example.org/git/{{name}}","badges":{},"links":null,"rust_version":"1.70"}""";
}
