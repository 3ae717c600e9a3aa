namespace Pipeline.Workers.Manifests.Toml;

/// <summary>How a text made a table. TOML forbids to define a table twice, and the form says what counts as defined.</summary>
internal enum TomlTableForm
{
    /// <summary>The root, or named by its own header: no second header, no dotted key from elsewhere.</summary>
    Header,

    /// <summary>Only passed through by a longer header: one header may still define it.</summary>
    Implied,

    /// <summary>Made or added to by a dotted key: headers may reach through it, but none may name it.</summary>
    Dotted,

    /// <summary>Written in braces: closed for good.</summary>
    Inline,
}
