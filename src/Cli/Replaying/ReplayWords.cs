namespace Pipeline.Cli.Replaying;

/// <summary>The outcomes of a replay in words.</summary>
internal static class ReplayWords
{
    /// <summary>What a replay would do.</summary>
    public static string? Plan(string? outcome) => outcome switch
    {
        "reset" => "its row becomes due again, and the sweep rings it",
        "rung" => "it is about no row: its bell is rung again",
        "dropped" => "none is possible: the message cannot be read. It was a bell for a row, which the sweep rings anyway; a replay closes this entry",
        "over" => "nothing can wait there: a replay closes this entry",
        "unknown" => "this server does not know the stage: a newer one wrote it",
        "gone" => "none: it is over",
        _ => outcome,
    };

    /// <summary>What a replay came to.</summary>
    public static string Past(string outcome) => outcome switch
    {
        "reset" => "due again",
        "rung" => "rung again",
        "over" => "already over",
        "dropped" => "closed without a replay (unreadable messages)",
        "unknown" => "of a stage that the server does not know",
        "gone" => "resolved meanwhile",
        _ => outcome,
    };
}
