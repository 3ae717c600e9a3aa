namespace Pipeline.Api.Admin.Shapes;

/// <summary>The one shape of refusals.</summary>
/// <param name="Errors">Usually one.</param>
public sealed record ErrorsAnswer(IReadOnlyList<ErrorShape>? Errors);

/// <summary>One refusal.</summary>
/// <param name="Detail">A sentence.</param>
public sealed record ErrorShape(string? Detail);
