using Pipeline.Registry.Identity;

namespace Pipeline.Registry.Tests.Identity;

public class TokenScopesTests
{
    [Theory]
    [InlineData(null, null, EndpointScope.Yank, "foo", true)]
    [InlineData(null, null, null, null, true)]
    [InlineData("yank", null, EndpointScope.Yank, "foo", true)]
    [InlineData("yank", null, EndpointScope.PublishNew, "foo", false)]
    [InlineData("yank", null, null, "foo", false)]
    [InlineData("", null, EndpointScope.Yank, "foo", false)]
    [InlineData("yank,publish-new", "", EndpointScope.PublishNew, "foo", true)]
    [InlineData(null, "foo", EndpointScope.Yank, "foo", true)]
    [InlineData(null, "foo,b*", EndpointScope.Yank, "bar", true)]
    [InlineData(null, "foo", EndpointScope.Yank, "bar", false)]
    [InlineData(null, "foo", EndpointScope.Yank, null, false)]
    [InlineData(null, "*", null, null, false)]
    public void A_token_fits_an_endpoint_when_both_its_lists_do(string? endpoints, string? crates, EndpointScope? endpoint, string? crate, bool fits)
    {
        var scopes = TokenScopes.FromStored(Json(endpoints), Json(crates));
        scopes.Fit(endpoint, crate).ShouldBe(fits);
    }

    private static string? Json(string? list) =>
        list is null ? null : Database.JsonTexts.Write(list.Split(',', StringSplitOptions.RemoveEmptyEntries));
}
