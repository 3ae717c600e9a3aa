using System.Buffers;
using System.Text;
using Pipeline.Contracts;
using Pipeline.Workers.Manifests.Licenses;
using Pipeline.Workers.Manifests.Urls;

namespace Pipeline.Workers.Manifests;

/// <summary>The rules for the describing fields of <c>[package]</c> (crates-io-behaviour §1.4 rows 20 to 29).</summary>
internal static class MetadataRules
{
    private static readonly SearchValues<char> DigitsAndDot = SearchValues.Create("0123456789.");

    /// <summary>The first rule that is broken, or null.</summary>
    public static Reject? Check(Manifest manifest) =>
        CheckRequired(manifest)
        ?? CheckDescription(manifest.Description!)
        ?? (manifest.License is { } license ? LicenseRules.Check(license) : null)
        ?? CheckUrl("homepage", manifest.Homepage)
        ?? CheckUrl("documentation", manifest.Documentation)
        ?? CheckUrl("repository", manifest.Repository)
        ?? CheckRustVersion(manifest.RustVersion)
        ?? CheckKeywords(manifest.Keywords)
        ?? CheckCategories(manifest.Categories);

    private static Reject? CheckRequired(Manifest manifest)
    {
        var lacksDescription = string.IsNullOrEmpty(manifest.Description);
        var lacksLicense = string.IsNullOrEmpty(manifest.License) && string.IsNullOrEmpty(manifest.LicenseFile);
        if (!lacksDescription && !lacksLicense)
            return null;

        var missing = lacksDescription && lacksLicense ? "description, license" : lacksDescription ? "description" : "license";
        return Invalid($"missing or empty metadata fields: {missing}. " +
            $"Please see https://doc.rust-lang.org/cargo/reference/manifest.html for more information on configuring these fields");
    }

    private static Reject? CheckDescription(string description) =>
        // The limit is in bytes, although the text says characters, as on crates.io.
        Encoding.UTF8.GetByteCount(description) > PublishLimits.MaxDescriptionBytes
            ? TooMuch($"The `description` is too long. A maximum of {PublishLimits.MaxDescriptionBytes} characters are currently allowed.")
            : null;

    private static Reject? CheckUrl(string field, string? url)
    {
        if (url is null)
            return null;
        // Case counts here, as on crates.io.
        if (!url.StartsWith("http://", StringComparison.Ordinal) && !url.StartsWith("https://", StringComparison.Ordinal))
            return Invalid($"URL for field `{field}` must begin with http:// or https:// (url: {url})");
        return HttpUrl.IsValid(url) ? null : Invalid($"`{field}` is not a valid url: `{url}`");
    }

    private static Reject? CheckRustVersion(string? rustVersion)
    {
        if (rustVersion is null)
            return null;
        var isValid = VersionRequirement.TryParse(rustVersion, out _) && !rustVersion.AsSpan().ContainsAnyExcept(DigitsAndDot);
        return isValid
            ? null
            : new Reject(RejectCodes.InvalidManifest, 400, "failed to parse `Cargo.toml` manifest file\n\ninvalid `rust-version` value");
    }

    private static Reject? CheckKeywords(IReadOnlyList<string> keywords)
    {
        if (keywords.Count > PublishLimits.MaxKeywords)
            return TooMuch($"expected at most {PublishLimits.MaxKeywords} keywords per crate");
        foreach (var keyword in keywords)
        {
            // "less than 20" is crates.io's text; 20 bytes are allowed.
            if (Encoding.UTF8.GetByteCount(keyword) > PublishLimits.MaxKeywordBytes)
                return Invalid($"\"{keyword}\" is an invalid keyword (keywords must have less than {PublishLimits.MaxKeywordBytes} characters)");
            if (!IsKeyword(keyword))
                return Invalid($"\"{keyword}\" is an invalid keyword");
        }

        return null;
    }

    private static bool IsKeyword(string keyword)
    {
        if (keyword.Length == 0 || !char.IsAsciiLetterOrDigit(keyword[0]))
            return false;
        foreach (var c in keyword)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '+' or '-'))
                return false;
        }

        return true;
    }

    private static Reject? CheckCategories(IReadOnlyList<string> categories) =>
        categories.Count > PublishLimits.MaxCategories ? TooMuch($"expected at most {PublishLimits.MaxCategories} categories per crate") : null;

    private static Reject Invalid(Sentence text) => new(RejectCodes.InvalidMetadata, 400, text);

    private static Reject TooMuch(Sentence text) => new(RejectCodes.LimitExceeded, 400, text);
}
