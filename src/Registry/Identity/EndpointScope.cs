namespace Pipeline.Registry.Identity;

/// <summary>What a token can be limited to (crates-io-behaviour §6.2).</summary>
public enum EndpointScope
{
    /// <summary>Publish a crate that does not exist yet; <c>publish-new</c>.</summary>
    PublishNew,

    /// <summary>Publish a version of a crate that exists; <c>publish-update</c>.</summary>
    PublishUpdate,

    /// <summary>Set up trusted publishing; <c>trusted-publishing</c>.</summary>
    TrustedPublishing,

    /// <summary>Yank and unyank; <c>yank</c>.</summary>
    Yank,

    /// <summary>Add and remove owners; <c>change-owners</c>.</summary>
    ChangeOwners,
}

/// <summary>The scopes as written.</summary>
public static class EndpointScopes
{
    private static readonly string[] Texts = ["publish-new", "publish-update", "trusted-publishing", "yank", "change-owners"];

    /// <summary>All spellings, for help texts.</summary>
    public static IReadOnlyList<string> All => Texts;

    /// <summary>The scope's spelling.</summary>
    public static string ToText(this EndpointScope scope) => Texts[(int)scope];

    /// <summary>Reads a scope's spelling.</summary>
    public static bool TryParse(string text, out EndpointScope scope)
    {
        var at = Array.IndexOf(Texts, text);
        scope = (EndpointScope)Math.Max(at, 0);
        return at >= 0;
    }
}
