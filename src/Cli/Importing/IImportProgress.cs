namespace Pipeline.Cli.Importing;

/// <summary>Shows how far an import has got: a bar on a terminal, a line now and then in a log.</summary>
internal interface IImportProgress
{
    /// <summary>A file is done. Called from several threads at once.</summary>
    void Report(ImportResult result);
}
