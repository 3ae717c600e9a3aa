using System.Buffers.Binary;
using System.Text;

namespace Pipeline.Tests.Telemetry;

/// <summary>A protobuf message, read by field numbers: enough for OTLP, without generated code.</summary>
internal readonly struct Protobuf
{
    private readonly List<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> _fields;

    /// <summary>Reads the fields of one message.</summary>
    public Protobuf(ReadOnlyMemory<byte> message)
    {
        _fields = [];
        for (var rest = message; !rest.IsEmpty;)
        {
            var key = Varint(ref rest);
            var number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    _fields.Add((number, Varint(ref rest), default));
                    break;
                case 1:
                    _fields.Add((number, BinaryPrimitives.ReadUInt64LittleEndian(rest.Span), default));
                    rest = rest[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref rest);
                    _fields.Add((number, 0, rest[..length]));
                    rest = rest[length..];
                    break;
                case 5:
                    _fields.Add((number, BinaryPrimitives.ReadUInt32LittleEndian(rest.Span), default));
                    rest = rest[4..];
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7} of field {number}");
            }
        }
    }

    /// <summary>The messages of a field.</summary>
    public IEnumerable<Protobuf> Messages(int number) => _fields.Where(field => field.Number == number).Select(field => new Protobuf(field.Bytes));

    /// <summary>The first message of a field; one without fields when there is none.</summary>
    public Protobuf Message(int number) => new(Bytes(number));

    /// <summary>Whether a field is there.</summary>
    public bool Has(int number) => _fields.Any(field => field.Number == number);

    /// <summary>A text; empty when there is none.</summary>
    public string Text(int number) => Encoding.UTF8.GetString(Bytes(number).Span);

    /// <summary>Bytes as lower-case hex; empty when there are none.</summary>
    public string Hex(int number) => Convert.ToHexStringLower(Bytes(number).Span);

    /// <summary>A number of any width; 0 when there is none.</summary>
    public ulong Number(int number) => _fields.FirstOrDefault(field => field.Number == number).Value;

    /// <summary>OTLP's attributes: a list of key (1) and value (2).</summary>
    public IReadOnlyDictionary<string, string> Attributes(int number) =>
        Messages(number).GroupBy(pair => pair.Text(1)).ToDictionary(group => group.Key, group => Value(group.Last().Message(2)));

    private static string Value(Protobuf value) =>
        value.Has(1) ? value.Text(1)
        : value.Has(2) ? (value.Number(2) == 1 ? "true" : "false")
        : value.Has(4) ? BitConverter.UInt64BitsToDouble(value.Number(4)).ToString(System.Globalization.CultureInfo.InvariantCulture)
        : ((long)value.Number(3)).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private ReadOnlyMemory<byte> Bytes(int number) => _fields.FirstOrDefault(field => field.Number == number).Bytes;

    private static ulong Varint(ref ReadOnlyMemory<byte> rest)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var one = rest.Span[0];
            rest = rest[1..];
            value |= (ulong)(one & 0x7f) << shift;
            if (one < 0x80) return value;
        }
    }
}
