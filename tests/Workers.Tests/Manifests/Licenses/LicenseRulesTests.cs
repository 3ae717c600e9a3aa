using System.Text.Json;
using Pipeline.Contracts;
using Pipeline.Workers.Manifests.Licenses;

namespace Pipeline.Workers.Tests.Manifests.Licenses;

public class LicenseRulesTests
{
    [Fact]
    public void Every_license_case_of_the_conformance_file_gets_its_answer()
    {
        var cases = File.ReadLines(Shared("conformance/publish-cases.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(root => root.GetProperty("area").GetString() == "license")
            .ToList();

        cases.Count.ShouldBeGreaterThan(10);
        foreach (var root in cases)
        {
            var manifest = root.GetProperty("tarball")[0].GetProperty("content").GetString()!;
            var license = manifest.Split('\n').Single(line => line.StartsWith("license = ", StringComparison.Ordinal)).Split('"')[1];

            LicenseRules.Check(license)?.Text.ShouldBe(root.GetProperty("expect_error").GetString(), license);
            (LicenseRules.Check(license) is null).ShouldBe(root.GetProperty("expect_error").GetString() is null, license);
        }
    }

    [Fact]
    public void A_refused_license_is_a_400_with_its_own_code()
    {
        var reject = LicenseRules.Check("foo").ShouldNotBeNull();

        (reject.Code, reject.Status).ShouldBe((RejectCodes.InvalidLicense, 400));
    }

    private static string Shared(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Pipeline.sln")))
                return Path.Combine(folder.FullName, "..", "shared", path);
        }

        throw new DirectoryNotFoundException($"no folder with Pipeline.sln above {AppContext.BaseDirectory}");
    }
}
