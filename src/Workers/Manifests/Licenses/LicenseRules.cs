using Pipeline.Contracts;

namespace Pipeline.Workers.Manifests.Licenses;

/// <summary>What <c>package.license</c> has to be, as a refusal in crates.io's words.</summary>
public static class LicenseRules
{
    private const string Explanation =
        "unknown or invalid license expression; see http://opensource.org/licenses for options, "
        + "and http://spdx.org/licenses/ for their identifiers\n"
        + "Note: If you have a non-standard license that is not listed by SPDX, "
        + "use the license-file field to specify the path to a file containing the text of the license.\n"
        + "See https://doc.rust-lang.org/cargo/reference/manifest.html#the-license-and-license-file-fields for more information.\n";

    /// <summary>Null when <paramref name="license"/> is an SPDX expression (crates-io-behaviour §1.4 row 22).</summary>
    /// <param name="license">The field as it stands in the manifest; the empty string is an error too.</param>
    public static Reject? Check(string license) =>
        SpdxExpression.Validate(license) is { } error ? new Reject(RejectCodes.InvalidLicense, 400, Explanation + error.Text) : null;
}
