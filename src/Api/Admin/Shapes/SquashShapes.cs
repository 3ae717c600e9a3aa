namespace Pipeline.Api.Admin.Shapes;

/// <summary>The squash of the git index.</summary>
/// <param name="WantedAt">When it was asked for; null: none is under way.</param>
/// <param name="Error">Why the last try of it failed; null: it did not.</param>
/// <param name="SquashedAt">When the last one was done; null: none ever.</param>
/// <param name="From">The commit that the history ended with then.</param>
/// <param name="To">The one commit it left.</param>
/// <param name="Branch">The branch that keeps the history.</param>
public sealed record SquashAnswer(DateTime? WantedAt, string? Error, DateTime? SquashedAt, string? From, string? To, string? Branch);

/// <summary>Whether the registry takes writes.</summary>
/// <param name="ReadOnly">Whether it does not.</param>
/// <param name="Reason">Why.</param>
/// <param name="Since">Since when.</param>
/// <param name="Epoch">The registry's epoch.</param>
public sealed record ReadOnlyAnswer(bool ReadOnly, string? Reason, DateTime? Since, string Epoch);
