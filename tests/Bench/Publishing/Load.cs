using System.Diagnostics;
using System.Text;
using Pipeline.Bench.Crates;

namespace Pipeline.Bench.Publishing;

/// <summary>Sends publishes from several clients at once, each on its own connection and thread.</summary>
internal static class Load
{
    /// <summary>What came of it.</summary>
    /// <param name="Seconds">From the first PUT to the last answer.</param>
    /// <param name="Milliseconds">Each PUT's time.</param>
    public sealed record Result(double Seconds, double[] Milliseconds);

    /// <summary>Sends them all; every one must be accepted.</summary>
    public static Result Run(int port, IReadOnlyList<PublishRequest> requests, int clients)
    {
        var times = new double[requests.Count];
        var next = -1;
        Exception? trouble = null;
        var started = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, clients).Select(_ => new Thread(Client)).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (trouble is not null) throw new InvalidOperationException("a publish failed", trouble);
        return new Result(Stopwatch.GetElapsedTime(started).TotalSeconds, times);

        void Client()
        {
            try
            {
                using var connection = new HttpConnection(port);
                for (int i; (i = Interlocked.Increment(ref next)) < requests.Count && trouble is null;)
                {
                    var sent = Stopwatch.GetTimestamp();
                    var status = connection.Send(requests[i].Bytes);
                    times[i] = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
                    if (status != 200) throw new InvalidOperationException($"{requests[i].Name} {requests[i].Version}: {status} {Encoding.UTF8.GetString(connection.Body)}");
                }
            }
            catch (Exception e)
            {
                // Thrown again by the thread that waits.
                trouble = e;
            }
        }
    }

    /// <summary>
    /// Publishes one after the other with a pause between, and asks for the index line right behind each answer.
    /// Returns per publish the milliseconds from the sent PUT until the line was read.
    /// </summary>
    public static double[] RunIdle(int port, IReadOnlyList<PublishRequest> requests, TimeSpan pause)
    {
        using var publishing = new HttpConnection(port);
        using var reading = new HttpConnection(port);
        var times = new double[requests.Count];
        for (var i = 0; i < requests.Count; i++)
        {
            Thread.Sleep(pause);
            var request = requests[i];
            var name = request.Name;
            var get = Encoding.ASCII.GetBytes($"GET /index/{name[..2]}/{name[2..4]}/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: cargo/1.95.0\r\n\r\n");
            var line = Encoding.ASCII.GetBytes($"\"vers\":\"{request.Version}\"");
            var sent = Stopwatch.GetTimestamp();
            if (publishing.Send(request.Bytes) is not 200 and var status) throw new InvalidOperationException($"{status} {Encoding.UTF8.GetString(publishing.Body)}");
            while (reading.Send(get) != 200 || reading.Body.IndexOf(line) < 0)
            {
                if (Stopwatch.GetElapsedTime(sent).TotalSeconds > 30) throw new TimeoutException($"{name} is not in the index");
            }

            times[i] = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
        }

        return times;
    }
}
