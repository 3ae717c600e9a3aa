using Pipeline.Cli.Connection;

namespace Pipeline.Cli.Tests;

public sealed class ServerAddressTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cli-test-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public void The_local_instance_is_found_by_what_it_left_in_its_data_folder()
    {
        File.WriteAllText(Path.Combine(_data, "url"), "http://127.0.0.1:4711\n");
        File.WriteAllText(Path.Combine(_data, "admin-token"), "cioLocal\n");
        Resolve([]).ShouldBe(new ServerAddress(new Uri("http://127.0.0.1:4711/"), "cioLocal"));
    }

    [Fact]
    public void The_environment_goes_first()
    {
        File.WriteAllText(Path.Combine(_data, "url"), "http://127.0.0.1:4711");
        File.WriteAllText(Path.Combine(_data, "admin-token"), "cioLocal");
        Resolve(new() { ["PIPELINE_URL"] = "https://example.com/registry/", ["PIPELINE_TOKEN"] = "cioGiven" })
            .ShouldBe(new ServerAddress(new Uri("https://example.com/registry/"), "cioGiven"));
    }

    [Fact]
    public void The_local_token_is_sent_to_this_machine_only()
    {
        File.WriteAllText(Path.Combine(_data, "admin-token"), "cioLocal");
        Resolve(new() { ["PIPELINE_URL"] = "http://127.0.0.1:9" }).Token.ShouldBe("cioLocal");
        Resolve(new() { ["PIPELINE_URL"] = "http://localhost:9" }).Token.ShouldBe("cioLocal");
        Should.Throw<CliException>(() => Resolve(new() { ["PIPELINE_URL"] = "https://example.com" })).Message.ShouldContain("PIPELINE_TOKEN");
    }

    [Fact]
    public void Without_an_instance_the_error_says_where_it_was_looked_for()
    {
        Should.Throw<CliException>(() => Resolve([])).Message.ShouldContain(_data);
        Should.Throw<CliException>(() => Resolve(new() { ["PIPELINE_URL"] = "http://127.0.0.1:9" })).Message.ShouldContain("admin token");
    }

    [Theory]
    [InlineData("127.0.0.1:7878")]
    [InlineData("ftp://example.com")]
    [InlineData("sparse+http://example.com/index/")]
    public void A_url_that_is_none_is_refused(string url) =>
        Should.Throw<CliException>(() => Resolve(new() { ["PIPELINE_URL"] = url })).Message.ShouldContain("no http or https URL");

    private ServerAddress Resolve(Dictionary<string, string> environment) => ServerAddress.Resolve(environment.GetValueOrDefault, _data);
}
