using Pipeline.Registry.Database;

namespace Pipeline.Registry.Identity;

/// <summary>What a token may be used for.</summary>
/// <param name="Endpoints">The endpoints; null: a token without limits, allowed wherever tokens are.</param>
/// <param name="Crates">The crates; null or empty: all.</param>
public sealed record TokenScopes(IReadOnlyList<EndpointScope>? Endpoints, IReadOnlyList<CratePattern>? Crates)
{
    /// <summary>No limits.</summary>
    public static readonly TokenScopes Unlimited = new(null, null);

    /// <summary>Whether the token fits an endpoint (crates-io-behaviour §6.2).</summary>
    /// <param name="endpoint">The endpoint's scope; null: it takes only tokens without endpoint scopes.</param>
    /// <param name="crateName">The crate it acts on, spelt as that endpoint matches it; null: no crate.</param>
    public bool Fit(EndpointScope? endpoint, string? crateName) => FitsEndpoint(endpoint) && FitsCrate(crateName);

    /// <summary>The scopes of a token's row.</summary>
    /// <param name="endpoints">The JSON list of endpoint scopes, or null.</param>
    /// <param name="crates">The JSON list of patterns, or null.</param>
    /// <exception cref="InvalidDataException">A scope is not known.</exception>
    public static TokenScopes FromStored(string? endpoints, string? crates)
    {
        if (endpoints is null && crates is null) return Unlimited;
        return new TokenScopes(
            endpoints is null ? null : Array.ConvertAll(JsonTexts.Read(endpoints), Endpoint),
            crates is null ? null : Array.ConvertAll(JsonTexts.Read(crates), CratePattern.FromStored));
    }

    // A newer process may have stored a scope this one does not know: that is a fault to see, not a scope to ignore.
    private static EndpointScope Endpoint(string text) =>
        EndpointScopes.TryParse(text, out var scope) ? scope : throw new InvalidDataException($"unknown endpoint scope {text}");

    private bool FitsEndpoint(EndpointScope? endpoint) => Endpoints is null || (endpoint is { } scope && Endpoints.Contains(scope));

    private bool FitsCrate(string? crateName)
    {
        if (Crates is null or { Count: 0 }) return true;
        if (crateName is null) return false;
        foreach (var pattern in Crates)
        {
            if (pattern.Matches(crateName)) return true;
        }

        return false;
    }
}
