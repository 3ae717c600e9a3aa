namespace Pipeline.Tests.Generating;

/// <summary>One version of a generated crate.</summary>
/// <param name="Name">The crate's name.</param>
/// <param name="Version">The version.</param>
/// <param name="Needs">The places, in the graph, of what must be there before it: all of them come earlier.</param>
/// <param name="File">The .crate.</param>
/// <param name="Body">The body of its publish.</param>
/// <param name="IndexLine">The index line that the rules of crates-io-behaviour §3 give it, without the line's end.</param>
internal sealed record GeneratedCrate(string Name, string Version, IReadOnlyList<int> Needs, byte[] File, byte[] Body, string IndexLine);
