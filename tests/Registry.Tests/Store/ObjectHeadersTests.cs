using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Contracts;
using Pipeline.Registry.Store;

namespace Pipeline.Registry.Tests.Store;

public class ObjectHeadersTests
{
    private const string Crate = "public,max-age=31536000,immutable";

    [Theory]
    [InlineData("crates/Foo_Bar/Foo_Bar-1.0.0-rc.1+b.crate", "application/gzip", Crate, "crate:Foo_Bar", "release:Foo_Bar@1.0.0-rc.1+b")]
    [InlineData("crates/a/a-0.1.0.crate", "application/gzip", Crate, "crate:a", "release:a@0.1.0")]
    [InlineData("crates/foo-bar/foo-bar-1.0.0.crate", "application/gzip", Crate, "crate:foo-bar", "release:foo-bar@1.0.0")]
    [InlineData("crates/foo/other-1.0.0.crate", "application/gzip", Crate, "crate:foo")]
    [InlineData("crates/foo/foo-.crate", "application/gzip", Crate, "crate:foo")]
    [InlineData("crates/foo", "application/gzip", Crate)]
    [InlineData("index/fo/o_/foo_bar", "text/plain", "public,max-age=600", "index:foo_bar")]
    [InlineData("index/1/a", "text/plain", "public,max-age=600", "index:a")]
    [InlineData("records/foo/1.0.0.id.json", "application/json", null)]
    [InlineData("staging/id.crate", "application/gzip", "no-store")]
    [InlineData("else/where", "application/octet-stream", null)]
    [InlineData("", "application/octet-stream", null)]
    public void A_key_decides_what_its_object_is_served_with(string key, string type, string? cacheControl, params string[] tags)
    {
        var headers = ObjectHeaders.Of(key);
        (headers.ContentType, headers.CacheControl).ShouldBe((type, cacheControl));
        headers.Tags.ShouldBe(tags);
    }

    [Fact]
    public void Index_files_take_the_configured_cache_control() => ObjectHeaders.Of("index/1/a", "private,no-cache").CacheControl.ShouldBe("private,no-cache");

    [Fact]
    public void The_longest_names_and_versions_fit_what_a_cache_takes_for_a_tag()
    {
        // CloudFront's limit of 256 is why versions have at most 150 characters (crates-io-behaviour §4.5).
        var headers = ObjectHeaders.Of(StoreKeys.Crate(new string('n', 64), "1.0.0-" + new string('v', 144)));
        headers.Tags.Max(tag => tag.Length).ShouldBeLessThanOrEqualTo(256);
    }
}

public class StoreOptionsTests
{
    private static readonly Dictionary<string, string?> Good = new()
    {
        ["Store:S3:Endpoint"] = "http://127.0.0.1:9",
        ["Store:S3:Bucket"] = "one",
        ["Store:S3:StagingBucket"] = "two",
        ["Store:S3:AccessKey"] = "marked-access",
        ["Store:S3:SecretKey"] = "marked-secret",
    };

    [Fact]
    public async Task The_configuration_alone_chooses_between_a_folder_and_S3()
    {
        var folder = Directory.CreateTempSubdirectory("store-choice");
        await using (var services = Services([], folder.FullName)) services.GetRequiredService<IObjectStore>().ShouldBeOfType<FolderStore>();
        await using (var services = Services(Good, "/dev/null/none")) services.GetRequiredService<IObjectStore>().ShouldBeOfType<S3Store>();
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("Bucket", null)]
    [InlineData("StagingBucket", null)]
    [InlineData("StagingBucket", "ab")]
    [InlineData("Endpoint", "127.0.0.1:9000")]
    [InlineData("Endpoint", "ftp://host")]
    [InlineData("Endpoint", "http://marked-access:marked-secret@host/")]
    [InlineData("SecretKey", null)]
    [InlineData("TimeoutSeconds", "0")]
    [InlineData("Attempts", "0")]
    [InlineData("Attempts", "many")]
    [InlineData("Atempts", "1")]
    public void What_cannot_work_stops_the_start_with_the_keys_name_and_without_a_secret(string key, string? value)
    {
        var error = Should.Throw<InvalidOperationException>(() => Services(new(Good) { [$"Store:S3:{key}"] = value }, "none"));
        error.Message.ShouldContain(key);
        error.ToString().ShouldNotContain("marked");
    }

    [Theory]
    [InlineData(null, false, 0)]
    [InlineData(null, true, 0.5)]
    [InlineData(0.2, true, 0.2)]
    [InlineData(3.0, false, 3)]
    public void Index_files_are_asked_for_anew_at_once_in_a_folder_and_after_half_a_second_over_the_network(double? configured, bool s3, double seconds) =>
        new StoreOptions { FreshSeconds = configured, S3 = s3 ? new S3Options() : null }.Freshness.ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void Options_do_not_print_their_secrets() =>
        new S3Options { AccessKey = new Secret("marked-access"), SecretKey = new Secret("marked-secret") }.ToString().ShouldNotContain("marked");

    private static ServiceProvider Services(Dictionary<string, string?> settings, string folder)
    {
        var services = new ServiceCollection();
        services.AddObjectStore(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), () => folder);
        return services.BuildServiceProvider();
    }
}
