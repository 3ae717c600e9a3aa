using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Cdn;

namespace Pipeline.Registry.Tests.Cdn;

public sealed class CdnRulesTests
{
    [Fact]
    public void A_section_is_read_with_its_secrets_hidden()
    {
        var options = Read(
            "IndexSeconds=60", "Targets:0:Name=edge", "Targets:0:Kind=fastly", "Targets:0:IndexUrls:0=https://index.example/", "Targets:0:Token=s3cret",
            "Targets:1:Name=other", "Targets:1:Kind=cloudfront", "Targets:1:FileUrls:0=https://files.example/", "Targets:1:DistributionId=E1", "Targets:1:AccessKey=AKID", "Targets:1:SecretKey=s3cret");

        (options.IndexSeconds, options.Targets.Count, options.Targets[0].Kind, options.Targets[1].Kind).ShouldBe((60, 2, CdnKind.Fastly, CdnKind.CloudFront));
        options.Targets[0].Token!.Reveal().ShouldBe("s3cret");
        string.Join(' ', options.Targets).ShouldNotContain("s3cret");
    }

    [Theory]
    [InlineData("Cdn:Targets:0:Name", "Name=")]
    [InlineData("Cdn:Targets:0:Name", "Name=a b")]
    [InlineData("Cdn:Targets:0:IndexUrls", "IndexUrls:0=")]
    [InlineData("Cdn:Targets:0:IndexUrls", "IndexUrls:0=ftp://x/")]
    [InlineData("Cdn:Targets:0:IndexUrls", "IndexUrls:0=http://user:s3cret@x/")]
    [InlineData("Cdn:Targets:0:Nodes", "Nodes:0=x:80")]
    [InlineData("Cdn:Targets:0:Nodes", "Kind=fastly,Token=t,Nodes:0=http://x/")]
    [InlineData("Cdn:Targets:0:Token", "Kind=fastly")]
    [InlineData("Cdn:Targets:0:ServiceId", "Kind=fastly,Token=t,SurrogateKeys=true")]
    [InlineData("Cdn:Targets:0:DistributionId", "Kind=cloudfront")]
    [InlineData("Cdn:Targets:0:AccessKey", "Kind=cloudfront,DistributionId=E")]
    [InlineData("Cdn:Targets:0:SecretKey", "Kind=cloudfront,DistributionId=E,AccessKey=A")]
    [InlineData("Cdn:Targets:0:Verify", "Kind=cloudfront,DistributionId=E,AccessKey=A,SecretKey=s3cret,Verify=true")]
    [InlineData("Cdn:Targets:0:BatchSize", "BatchSize=0")]
    [InlineData("Cdn:Targets:0:TimeoutSeconds", "TimeoutSeconds=0")]
    [InlineData("Secret", "Secret=s3cret")]
    public void A_wrong_key_stops_the_start_with_its_name(string key, string settings)
    {
        var all = new[] { "Name=edge", "IndexUrls:0=https://index.example/" }.Concat(settings.Split(','))
            .Select(setting => "Targets:0:" + setting).GroupBy(setting => setting.Split('=')[0]).Select(group => group.Last()).ToArray();

        var error = Should.Throw<InvalidOperationException>(() => Read(all));

        error.Message.ShouldContain(key);
        error.ToString().ShouldNotContain("s3cret");
    }

    [Fact]
    public void Two_targets_have_two_names() =>
        Should.Throw<InvalidOperationException>(() => Read("Targets:0:Name=a", "Targets:0:IndexUrls:0=http://x/", "Targets:1:Name=a", "Targets:1:IndexUrls:0=http://y/")).Message.ShouldContain("Cdn:Targets:1:Name");

    private static CdnOptions Read(params string[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>("Cdn:" + setting.Split('=', 2)[0], setting.Split('=', 2)[1]))).Build();
        return new ServiceCollection().AddCdn(configuration).BuildServiceProvider().GetRequiredService<CdnOptions>();
    }
}
