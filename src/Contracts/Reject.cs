using System.Text.Json.Serialization;

namespace Pipeline.Contracts;

/// <summary>
/// A refusal that is the publisher's to mend: a value that travels back to them, never an exception.
/// </summary>
/// <param name="Code">A stable, kebab-case word for machines (<c>invalid-name</c>); listed in <see cref="RejectCodes"/>.</param>
/// <param name="Status">The HTTP status that says it, 4xx.</param>
/// <param name="Text">One sentence for the publisher: what is wrong and where. Shown by cargo as it stands.</param>
[method: JsonConstructor]
public sealed record Reject(string Code, int Status, string Text)
{
    /// <summary>A refusal whose sentence quotes values: they are cut.</summary>
    public Reject(string code, int status, Sentence text)
        : this(code, status, text.ToText())
    {
    }

    /// <summary>The sentence, no longer than <see cref="Quoted.MaxText"/>: it is answered, stored and shown in this form.</summary>
    public string Text { get; } = Quoted.Text(Text);
}
