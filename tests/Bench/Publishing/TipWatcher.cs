namespace Pipeline.Bench.Publishing;

/// <summary>Notes every tip of the git index that it sees: each is the end of a batch.</summary>
internal sealed class TipWatcher : IDisposable
{
    private readonly string _branch;
    private readonly Thread _thread;
    private volatile bool _ended;

    /// <summary>Starts to watch.</summary>
    public TipWatcher(string repository)
    {
        _branch = Path.Combine(repository, "refs", "heads", "master");
        _thread = new Thread(Watch) { IsBackground = true };
        Look();
        _thread.Start();
    }

    /// <summary>The tips, oldest first; the first one was there before.</summary>
    public List<string> Tips { get; } = [];

    /// <summary>Ends the watch with a last look.</summary>
    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        _thread.Join();
        Look();
    }

    private void Watch()
    {
        while (!_ended)
        {
            Thread.Sleep(2);
            Look();
        }
    }

    private void Look()
    {
        string tip;
        try
        {
            tip = File.ReadAllText(_branch).Trim();
        }
        catch (IOException)
        {
            // Being replaced, or before the first commit.
            return;
        }

        if (tip.Length > 0 && (Tips.Count == 0 || Tips[^1] != tip)) Tips.Add(tip);
    }
}
