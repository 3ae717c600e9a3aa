using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

public sealed class PurgePlanTests
{
    private const string File = "crates/foo/foo-1.0.0+a.1.crate";

    [Theory]
    [InlineData(false, PurgeCauses.Changed, "Url index/3/f/foo")]
    [InlineData(false, PurgeCauses.First, "Url index/3/f/foo")]
    [InlineData(true, PurgeCauses.Changed, "Key index:foo")]
    [InlineData(true, PurgeCauses.Removed, "Key index:foo")]
    [InlineData(true, PurgeCauses.First, "Key index:foo, Url index/3/f/foo")]
    public void An_index_file_goes_by_its_key_and_where_none_was_served_yet_by_its_URL_too(bool keys, string cause, string purges) =>
        Text(PurgePlan.OfIndexFile(new CdnTarget { IndexUrls = ["http://cache/"], SurrogateKeys = keys }, "3/f/foo", cause)).ShouldBe(purges);

    [Theory]
    [InlineData(false, "Url " + File)]
    [InlineData(true, "Key release:foo@1.0.0+a.1, Url " + File)]
    public void A_crate_file_goes_by_its_URL_and_where_there_are_keys_by_both(bool keys, string purges) =>
        Text(PurgePlan.OfCrateFile(new CdnTarget { FileUrls = ["http://cache/"], SurrogateKeys = keys }, File)).ShouldBe(purges);

    [Fact]
    public void A_target_is_told_only_of_what_it_serves()
    {
        PurgePlan.OfIndexFile(new CdnTarget { FileUrls = ["http://cache/"] }, "3/f/foo", PurgeCauses.First).ShouldBeEmpty();
        PurgePlan.OfPlainFile(new CdnTarget { FileUrls = ["http://cache/"] }, "config.json").ShouldBeEmpty();
        PurgePlan.OfCrateFile(new CdnTarget { IndexUrls = ["http://cache/"] }, File).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("index/se/rd/serde", "http://a/index/se/rd/serde", "https://b/se/rd/serde")]
    [InlineData("index/config.json", "http://a/index/config.json", "https://b/config.json")]
    [InlineData("crates/foo/foo-1.0.0.crate", "http://a/crates/foo/foo-1.0.0.crate")]
    [InlineData(File, "http://a/crates/foo/foo-1.0.0+a.1.crate", "http://a/crates/foo/foo-1.0.0%2Ba.1.crate", "http://a/crates/foo/foo-1.0.0%2ba.1.crate")]
    [InlineData("staging/x.crate")]
    public void Every_spelling_that_clients_use_is_a_URL(string key, params string[] urls) =>
        ServedUrls.Of(new CdnTarget { IndexUrls = ["http://a/index/", "https://b"], FileUrls = ["http://a/crates"] }, key).ShouldBe(urls);

    [Theory]
    [InlineData("crates/foo/foo-1.0.0.crate", "release:foo@1.0.0")]
    [InlineData("crates/foo-bar/foo-bar-0.1.0-rc.1+x.crate", "release:foo-bar@0.1.0-rc.1+x")]
    [InlineData("crates/foo/bar-1.0.0.crate", null)]
    [InlineData("crates/foo/foo-.crate", null)]
    [InlineData("records/foo/foo-1.0.0.crate", null)]
    public void The_key_of_a_file_is_read_from_where_it_is(string objectKey, string? key) => CacheKeys.OfFile(objectKey).ShouldBe(key);

    [Fact]
    public void The_key_of_an_index_file_leads_back_to_it()
    {
        CacheKeys.ObjectOf(CacheKeys.OfIndex("se/rd/serde")).ShouldBe("index/se/rd/serde");
        CacheKeys.ObjectOf("release:foo@1.0.0").ShouldBeNull();
    }

    private static string Text(IReadOnlyList<(PurgeScope Scope, string Value)> purges) => string.Join(", ", purges.Select(purge => $"{purge.Scope} {purge.Value}"));
}
