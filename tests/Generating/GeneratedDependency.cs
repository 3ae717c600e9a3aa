namespace Pipeline.Tests.Generating;

/// <summary>A dependency of a generated crate.</summary>
/// <param name="Package">The crate it names.</param>
/// <param name="Kind"><c>normal</c>, <c>build</c> or <c>dev</c>.</param>
internal sealed record GeneratedDependency(string Package, string Kind)
{
    /// <summary>The table key, when it differs from the package.</summary>
    public string? Alias { get; init; }

    /// <summary>The requirement as the manifest writes it.</summary>
    public required string Written { get; init; }

    /// <summary>The requirement as the index line prints it.</summary>
    public required string Requirement { get; init; }

    /// <summary>The platform, if it is for one only.</summary>
    public string? Target { get; init; }

    /// <summary>Whether it is optional.</summary>
    public bool Optional { get; init; }

    /// <summary>Whether its default features are on.</summary>
    public bool DefaultFeatures { get; init; } = true;

    /// <summary>The features asked of it.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    /// <summary>The table key.</summary>
    public string Key => Alias ?? Package;
}
