namespace Pipeline.Tests.Chaos.Workload;

/// <summary>Says how many steps may be begun: every fault lets a burst go, so that it comes into the midst of work.</summary>
internal sealed class Pace(int steps)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _released;
    private bool _ended;

    /// <summary>Lets so many more be begun.</summary>
    public void Release(int more)
    {
        lock (_gate)
        {
            _released = Math.Min(steps, _released + more);
            Move();
        }
    }

    /// <summary>Lets steps be begun up to a number, and none after it.</summary>
    public void End(int least)
    {
        lock (_gate)
        {
            _released = Math.Max(_released, Math.Min(steps, least));
            _ended = true;
            Move();
        }
    }

    /// <summary>Waits for a step's turn. False: it has none.</summary>
    public async Task<bool> TurnAsync(int step)
    {
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                if (step < _released) return true;
                if (_ended) return false;
                moved = _moved.Task;
            }

            await moved;
        }
    }

    private void Move()
    {
        _moved.SetResult();
        _moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
