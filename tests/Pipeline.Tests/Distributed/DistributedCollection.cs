namespace Pipeline.Tests.Distributed;

/// <summary>The tests of the distributed shape share one registry and come one after the other: each takes a service away from all others.</summary>
[CollectionDefinition("distributed")]
#pragma warning disable CA1711 // xunit's own word for it
public sealed class DistributedCollection : ICollectionFixture<DistributedShape>;
#pragma warning restore CA1711
