using Pipeline.Contracts;

namespace Pipeline.Registry.Store;

/// <summary>The bytes of an upload as they were received: what is promoted must be these and no others.</summary>
/// <param name="Key">Where they are staged, when they are in the store.</param>
/// <param name="Length">How many they are.</param>
/// <param name="Checksum">Their SHA-256.</param>
/// <param name="Content">The bytes themselves, when they are parked in the database; null: they are in the store.</param>
public readonly record struct StagedBytes(string Key, long Length, Checksum Checksum, ReadOnlyMemory<byte>? Content = null);
