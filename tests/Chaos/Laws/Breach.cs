namespace Pipeline.Tests.Chaos.Laws;

/// <summary>What kind of harm a breach is.</summary>
internal enum Harm
{
    /// <summary>What was acknowledged is not there.</summary>
    Loss,

    /// <summary>Something is there twice.</summary>
    Duplicate,

    /// <summary>Anything else that must not be.</summary>
    Other,
}

/// <summary>A law that does not hold.</summary>
/// <param name="Harm">What kind of harm it is.</param>
/// <param name="Law">The law, in a few words.</param>
/// <param name="Text">Where it does not hold.</param>
internal sealed record Breach(Harm Harm, string Law, string Text);
