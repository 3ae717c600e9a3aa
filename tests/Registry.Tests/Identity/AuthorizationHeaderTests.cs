using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

public class AuthorizationHeaderTests
{
    [Theory]
    [InlineData("cioABC", "cioABC")]
    [InlineData("Bearer cioABC", "cioABC")]
    [InlineData("bEARER   cioABC  ", "cioABC")]
    [InlineData(" cioABC", "cioABC")]
    [InlineData("Bearer \tcioABC", "cioABC")]
    public void A_token_is_read_bare_or_behind_Bearer(string header, string token)
    {
        AuthorizationHeader.TryRead(header, out var read, out _).ShouldBeTrue();
        read.ShouldBe(token);
    }

    [Theory]
    [InlineData(null, 403, "this action requires authentication")]
    [InlineData("Basic abc", 401, "Invalid `Authorization` header: Found unexpected authentication scheme `Basic`")]
    [InlineData("token cioABC", 401, "Invalid `Authorization` header: Found unexpected authentication scheme `token`")]
    [InlineData("cio\u00e9", 401, "Invalid `Authorization` header: Found unexpected non-ASCII characters")]
    [InlineData("\u00ff Basic", 401, "Invalid `Authorization` header: Found unexpected non-ASCII characters")]
    [InlineData("cio\u0001", 401, "Invalid `Authorization` header: Found unexpected non-ASCII characters")]
    public void A_header_without_a_token_is_refused_with_its_cause(string? header, int status, string text)
    {
        AuthorizationHeader.TryRead(header, out _, out var reject).ShouldBeFalse();
        reject.Status.ShouldBe(status);
        reject.Text.ShouldBe(text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("xio123")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("CIO123")]
    public void A_token_of_another_form_is_refused(string header)
    {
        AuthorizationHeader.TryRead(header, out _, out var reject).ShouldBeFalse();
        reject.Status.ShouldBe(401);
        reject.Text.ShouldStartWith("The given API token does not match the format used by this registry.");
    }
}
