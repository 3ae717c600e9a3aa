namespace Pipeline.Registry.Options;

/// <summary>How long what is over can be looked up. Section <c>Upkeep</c>.</summary>
public sealed record UpkeepOptions
{
    /// <summary>For how many days a resolved failure can be looked up.</summary>
    public double KeepFailuresDays { get; init; } = 30;

    /// <summary>For how many days a token that has expired or was revoked is still listed, and counts among its user's.</summary>
    public double KeepTokensDays { get; init; } = 90;
}
