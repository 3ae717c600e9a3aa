using Pipeline.Cli;

return await CommandLine.RunAsync(args, Session.OfProcess()).ConfigureAwait(false);
