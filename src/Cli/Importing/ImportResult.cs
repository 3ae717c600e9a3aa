namespace Pipeline.Cli.Importing;

/// <summary>How the import of a file ended.</summary>
internal enum ImportEnd
{
    /// <summary>The registry accepted it.</summary>
    Published,

    /// <summary>The registry had the same bytes already.</summary>
    Present,

    /// <summary>It was refused, or could not be sent.</summary>
    Failed,
}

/// <summary>What became of a file.</summary>
/// <param name="Item">The file.</param>
/// <param name="Name">The crate's name, as far as it is known.</param>
/// <param name="Version">The version, as far as it is known.</param>
/// <param name="End">How it ended.</param>
/// <param name="Reason">Why it failed.</param>
internal sealed record ImportResult(ImportItem Item, string? Name, string? Version, ImportEnd End, string? Reason = null);
