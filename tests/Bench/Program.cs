using Pipeline.Bench.Measuring;

return await Pipeline.Bench.Benchmarks.RunAsync(Arguments.Parse(args));
