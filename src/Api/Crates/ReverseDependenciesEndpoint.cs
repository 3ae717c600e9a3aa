using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>Which crates depend on a crate (crates-io-behaviour §6.6): those whose default version does and is not yanked, by name.</summary>
public static class ReverseDependenciesEndpoint
{
    private const string From =
        """
        dependencies d
        JOIN versions v ON v.id = d.version_id AND v.state = 'active' AND NOT v.yanked
        JOIN crates c ON c.id = v.crate_id AND c.state = 'active' AND c.default_version = v.num
        """;

    /// <summary>Maps the endpoint.</summary>
    public static IEndpointRouteBuilder MapReverseDependencies(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates/{name}/reverse_dependencies", ListAsync).WithSummary("Which crates depend on a crate");
        return routes;
    }

    private static async Task<IResult> ListAsync(string name, HttpContext context, IDatabase database, RegistryOptions options)
    {
        if (!Paging.TryRead(context.Request.Query, out var paging, out var reject)) return new Refusal(reject);
        var found = await database.ReadAsync(sql => ReadAsync(sql, name, paging), context.RequestAborted).ConfigureAwait(false);
        return found is null ? new Refusal(CrateLookup.NoCrate(name)) : new JsonAnswer(json => Write(json, found, options));
    }

    private static async ValueTask<Found?> ReadAsync(Statements sql, string name, Paging paging)
    {
        if (await CrateLookup.CrateAsync(sql, name).ConfigureAwait(false) is not { } crate) return null;
        var total = await sql.LongAsync($"SELECT COUNT(*) FROM {From} WHERE d.name = $1", crate.Name).ConfigureAwait(false);
        var dependents = await sql.QueryAsync(
            $"""
            SELECT {VersionViews.Columns}, v.dependencies FROM {From} LEFT JOIN users u ON u.id = v.published_by
            WHERE d.name = $1 ORDER BY c.canonical LIMIT $2 OFFSET $3
            """,
            static row => new Dependent(VersionViews.Read(row), row.Text(VersionViews.ColumnCount)),
            crate.Name, (long)paging.PerPage, paging.Offset).ConfigureAwait(false);
        return new Found(crate.Name, dependents, total!.Value);
    }

    private static void Write(Utf8JsonWriter json, Found found, RegistryOptions options)
    {
        json.WriteStartObject();
        json.WriteStartArray("dependencies");
        foreach (var dependent in found.Dependents) DependenciesJson.WriteFirstOn(json, dependent.Version.Id, dependent.Dependencies, found.Crate);
        json.WriteEndArray();
        VersionJson.WriteList(json, "versions", found.Dependents.ConvertAll(static dependent => dependent.Version), [], options);
        json.WriteStartObject("meta");
        json.WriteNumber("total", found.Total);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private sealed record Dependent(VersionObject Version, string Dependencies);

    private sealed record Found(string Crate, List<Dependent> Dependents, long Total);
}
