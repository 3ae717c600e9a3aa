using Pipeline.Registry.Upstreams;

namespace Pipeline.Registry.Tests.Upstreams;

public sealed class ServedNamesTests
{
    /// <summary>Holders: <c>L</c> local, <c>l</c> a deleted local one, <c>U</c> and <c>u</c> of upstreams; <c>!</c> its upstream wins; <c>*</c> it is served now.</summary>
    [Theory]
    [InlineData("L", false, 1)]
    [InlineData("U", false, 1)]
    [InlineData("L U", false, 1)]
    [InlineData("l U", false, 1)]
    [InlineData("U L", false, 2)]
    [InlineData("L U!", false, 2)]
    [InlineData("L u!", false, 1)]
    [InlineData("L U U!", false, 3)]
    [InlineData("U U", false, 1)]
    [InlineData("u U", false, 2)]
    [InlineData("u u*", false, 2)]
    [InlineData("U", true, null)]
    [InlineData("U L", true, 2)]
    [InlineData("L U!", true, 1)]
    public void One_of_a_name_is_served(string holders, bool reserved, int? served)
    {
        var rows = holders.Split(' ').Select(static (text, i) => new NameHolder(
            i + 1, char.ToUpperInvariant(text[0]) == 'L', char.IsUpper(text[0]), text.Contains('*', StringComparison.Ordinal),
            char.ToUpperInvariant(text[0]) == 'L' ? null : text.Contains('!', StringComparison.Ordinal) ? CollisionPolicies.UpstreamWins : CollisionPolicies.LocalWins, i)).ToList();

        ServedNames.Choose(rows, reserved).ShouldBe(served);
    }

    [Theory]
    [InlineData("https://static.crates.io/crates", "https://static.crates.io/crates/Serde/1.0.0+a/download")]
    [InlineData("https://x/{crate}-{version}.crate", "https://x/Serde-1.0.0+a.crate")]
    [InlineData("https://x/{prefix}/{lowerprefix}/{sha256-checksum}", "https://x/Se/rd/se/rd/cafe")]
    public void A_files_url_is_filled_in_as_cargo_does(string template, string url) => DownloadUrl.Of(template, "Serde", "1.0.0+a", "cafe").ShouldBe(url);

    [Theory]
    [InlineData("""{"dl":"https://x/y","api":"https://x"}""", "https://x/y")]
    [InlineData("""{"dl":"file:///etc/passwd"}""", null)]
    [InlineData("""{"dl":"https://user:word@x/y"}""", null)]
    [InlineData("""{"dl":7}""", null)]
    [InlineData("[]", null)]
    [InlineData("<html>", null)]
    public void Where_the_files_are_is_read_from_a_config_that_says_so(string config, string? dl) => UpstreamConfig.DlOf(config).ShouldBe(dl);

    [Theory]
    [InlineData("crates-io", "https://github.com/x/y", null)]
    [InlineData("crates-io", "/srv/index.git", null)]
    [InlineData("local", "/srv/index.git", "name")]
    [InlineData("Crates", "/srv/index.git", "name")]
    [InlineData("a/b", "/srv/index.git", "name")]
    [InlineData("x", "ssh://x/y", "git index")]
    [InlineData("x", "--upload-pack=touch", "neither")]
    [InlineData("x", "https://me:secret@x/y", "password")]
    [InlineData("x", "https://x/ y", "blank")]
    [InlineData("x", "sparse+https://x/y", "slash")]
    [InlineData("x", "sparse+https://x/y/", "allow-list")]
    public void An_upstream_is_checked_before_it_is_followed(string name, string index, string? refused)
    {
        var reject = UpstreamRules.Check(new Upstream
        {
            Name = name,
            IndexUrl = index,
            Mode = UpstreamModes.Full,
            EveryMicroseconds = 60_000_000,
            Collisions = CollisionPolicies.LocalWins,
            Removals = RemovalPolicies.Keep,
        });

        if (refused is null) reject.ShouldBeNull();
        else reject.ShouldNotBeNull().Text.ShouldContain(refused);
    }
}
