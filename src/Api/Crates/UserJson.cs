using System.Text.Json;
using Pipeline.Registry.Options;

namespace Pipeline.Api.Crates;

/// <summary>Accounts as others see them.</summary>
internal static class UserJson
{
    /// <summary>Writes the public members of an account: never its e-mail address.</summary>
    public static void WriteMembers(Utf8JsonWriter json, long id, string login, string? name, RegistryOptions options)
    {
        json.WriteNumber("id", id);
        json.WriteString("login", login);
        json.WriteString("name", name);
        json.WriteNull("avatar");
        json.WriteString("url", $"{options.PublicUrl}/api/v1/users/{login}");
    }

    /// <summary>Writes an account as a member of an object.</summary>
    public static void Write(Utf8JsonWriter json, string property, long id, string login, string? name, RegistryOptions options)
    {
        json.WriteStartObject(property);
        WriteMembers(json, id, login, name, options);
        json.WriteEndObject();
    }
}
