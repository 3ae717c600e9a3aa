using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>Carries a vocabulary value through JSON as its text; text that is no such value is a <see cref="JsonException"/>.</summary>
/// <typeparam name="T">A value whose <see cref="object.ToString"/> its parser reads back.</typeparam>
internal sealed class TextJsonConverter<T> : JsonConverter<T>
    where T : IParsable<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        // The value itself stays out of the message: it is hostile text of any length.
        if (reader.TokenType == JsonTokenType.String && T.TryParse(reader.GetString(), null, out var value))
            return value;
        throw new JsonException($"not a {typeof(T).Name}");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.TryParse(reader.GetString(), null, out var value) ? value : throw new JsonException($"not a {typeof(T).Name}");

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString()!);
}
