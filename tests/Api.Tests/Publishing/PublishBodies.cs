using System.Buffers.Binary;
using System.Text;

namespace Pipeline.Api.Tests.Publishing;

/// <summary>Bodies of a publish, byte by byte, so that broken ones can be made too.</summary>
internal static class PublishBodies
{
    /// <summary>A whole body around any tarball bytes.</summary>
    public static byte[] Of(string json, byte[] tarball) => [.. Length(Encoding.UTF8.GetByteCount(json)), .. Encoding.UTF8.GetBytes(json), .. Length(tarball.Length), .. tarball];

    /// <summary>The body of a version whose tarball no stage will read.</summary>
    public static byte[] Of(string name, string version, string tarball = "bytes") =>
        Of($$"""{"name":"{{name}}","vers":"{{version}}"}""", Encoding.UTF8.GetBytes(tarball));

    public static byte[] Length(int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        return bytes;
    }
}
