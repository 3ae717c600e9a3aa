using System.Net;
using System.Text.Json;

namespace Pipeline.Tests.Serving;

/// <summary>The answer to a publish.</summary>
/// <param name="Status">The status sent.</param>
/// <param name="Text">The body.</param>
/// <param name="PublishId">The id of the publish that was parked; null: none was.</param>
/// <param name="Location">Where its verdict will stand, if the answer says.</param>
public sealed record PublishReply(HttpStatusCode Status, string Text, string? PublishId, Uri? Location)
{
    /// <summary>The sentence of a refusal, read as cargo reads it: whatever the status. Null: no refusal.</summary>
    public string? Detail
    {
        get
        {
            using var document = JsonDocument.Parse(Text);
            return document.RootElement.TryGetProperty("errors", out var errors) ? errors[0].GetProperty("detail").GetString() : null;
        }
    }

    /// <summary>Whether the crate was taken.</summary>
    public bool IsAccepted => Status == HttpStatusCode.OK && Detail is null;

    /// <summary>Fails unless the crate was taken.</summary>
    public PublishReply ShouldBeAccepted()
    {
        IsAccepted.ShouldBeTrue($"{(int)Status}: {Text}");
        return this;
    }
}
