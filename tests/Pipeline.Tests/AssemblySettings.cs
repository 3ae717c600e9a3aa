using Pipeline.Tests.Serving;

// Flows wait for cargo and for the server far more than they compute.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: AssemblyFixture(typeof(SharedPipeline))]
