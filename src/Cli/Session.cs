using Pipeline.Cli.Connection;
using Pipeline.Cli.Output;

namespace Pipeline.Cli;

/// <summary>What a command sees of the world around it: environment, output, and the way to the server. Tests bring their own.</summary>
/// <param name="Environment">Reads an environment variable; null: not set.</param>
/// <param name="Output">Results, for people or machines.</param>
/// <param name="Error">Everything said beside the results.</param>
/// <param name="Input">Answers to questions; null: nobody is there to ask.</param>
/// <param name="Handler">Makes the handler of HTTP requests.</param>
public sealed record Session(Func<string, string?> Environment, TextWriter Output, TextWriter Error, TextReader? Input, Func<HttpMessageHandler> Handler)
{
    /// <summary>The session of this process.</summary>
    public static Session OfProcess() => new(
        System.Environment.GetEnvironmentVariable,
        Console.Out,
        Console.Error,
        Console.IsInputRedirected ? null : Console.In,
        // The token stays with the server it is for: no redirect is followed.
        static () => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    /// <summary>The data folder of the local instance.</summary>
    public string Data => Environment("PIPELINE_DATA") is { Length: > 0 } data ? data : ".pipeline";

    /// <summary>Where the local instance serves, or served last; null: none was started.</summary>
    public string? LocalUrl => ServerAddress.LocalUrl(Data);

    /// <summary>Whether what is said beside the results is read on a terminal, where it may be drawn over.</summary>
    internal bool ErrorIsTerminal => PlainWriter.Behind(Error) == Console.Error && !Console.IsErrorRedirected;

    /// <summary>Connects to the admin API.</summary>
    /// <exception cref="CliException">No registry or no token is known.</exception>
    public AdminClient Connect() => new(ServerAddress.Resolve(Environment, Data), Handler());
}
