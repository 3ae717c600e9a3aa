using Microsoft.AspNetCore.Routing;

namespace Pipeline.Api.Admin;

/// <summary>
/// The operator's API under <c>/api/v1/admin/</c>: for administrators with a token without scopes. The `pipeline` command is made of it.
/// </summary>
public static class AdminSetup
{
    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapAdmin(this IEndpointRouteBuilder routes)
    {
        AdminUsers.Map(routes);
        AdminTokens.Map(routes);
        AdminCrates.Map(routes);
        AdminPublishes.Map(routes);
        AdminStatus.Map(routes);
        AdminFailures.Map(routes);
        AdminSquash.Map(routes);
        AdminReadOnly.Map(routes);
        AdminRebuilds.Map(routes);
        AdminWebhooks.Map(routes);
        AdminReconcile.Map(routes);
        AdminUpstreams.Map(routes);
        return routes;
    }
}
