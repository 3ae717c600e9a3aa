using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pipeline.Api.Http;
using Pipeline.Contracts;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Crates;

/// <summary>One version and what belongs to it (crates-io-behaviour §6.6).</summary>
public static class VersionEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    public static IEndpointRouteBuilder MapVersion(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/api/v1/crates/{name}/{version}", ShowAsync).WithSummary("A version");
        routes.MapRead("/api/v1/crates/{name}/{version}/dependencies", DependenciesAsync).WithSummary("What a version depends on");
        routes.MapRead("/api/v1/crates/{name}/{version}/authors", AuthorsAsync).WithSummary("Always empty, as on crates.io");
        routes.MapRead("/api/v1/crates/{name}/{version}/downloads", DownloadsAsync).WithSummary("Always empty: downloads are not counted");
        routes.MapRead("/api/v1/crates/{name}/{version}/readme", ReadmeAsync).WithSummary("The source text of a version's readme");
        routes.MapRead("/api/v1/crates/{name}/{version}/download", Download).WithSummary("Where the .crate file is");
        return routes;
    }

    /// <summary>Why a path segment is no version; null: it is one.</summary>
    internal static Reject? CheckVersion(string version) =>
        CrateVersion.TryParse(version, out _) ? null : new Reject(RejectCodes.InvalidVersion, 400, $"\"{version}\" is an invalid semver version");

    internal static Task<IResult> ShowAsync(string name, string version, IDatabase database, RegistryOptions options, CancellationToken cancellationToken) =>
        WithVersionAsync(name, version, database, async (sql, found) =>
        {
            var shown = await VersionViews.VersionAsync(sql, found).ConfigureAwait(false);
            List<VersionAction> actions = found.Crate.IsMirrored ? [] : await VersionViews.ActionsOfVersionAsync(sql, found.Id).ConfigureAwait(false);
            return new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WritePropertyName("version");
                VersionJson.Write(json, shown!, actions, options);
                json.WriteEndObject();
            });
        }, cancellationToken);

    private static Task<IResult> DependenciesAsync(string name, string version, IDatabase database, CancellationToken cancellationToken) =>
        WithVersionAsync(name, version, database, static async (sql, found) =>
        {
            var stored = found.Crate.IsMirrored
                ? await MirroredVersions.DependenciesAsync(sql, found).ConfigureAwait(false)
                : await sql.TextAsync("SELECT dependencies FROM versions WHERE id = $1", found.Id).ConfigureAwait(false);
            return new JsonAnswer(json =>
            {
                json.WriteStartObject();
                DependenciesJson.WriteList(json, found.Id, stored!);
                json.WriteEndObject();
            });
        }, cancellationToken);

    private static Task<IResult> AuthorsAsync(string name, string version, IDatabase database, CancellationToken cancellationToken) =>
        WithVersionAsync(name, version, database, static (_, _) => ValueTask.FromResult<IResult>(new JsonAnswer(static json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("users");
            json.WriteEndArray();
            json.WriteStartObject("meta");
            json.WriteStartArray("names");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        })), cancellationToken);

    private static Task<IResult> DownloadsAsync(string name, string version, IDatabase database, CancellationToken cancellationToken) =>
        WithVersionAsync(name, version, database, static (_, _) => ValueTask.FromResult<IResult>(new JsonAnswer(static json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("version_downloads");
            json.WriteEndArray();
            json.WriteEndObject();
        })), cancellationToken);

    /// <summary>
    /// The readme as its author wrote it, as plain text. crates.io redirects to rendered HTML; rendering a stranger's markup on the
    /// registry's own origin is a risk that a private registry need not take.
    /// </summary>
    private static Task<IResult> ReadmeAsync(string name, string version, IDatabase database, CancellationToken cancellationToken) =>
        WithVersionAsync(name, version, database, static async (sql, found) =>
        {
            var readme = found.Crate.IsMirrored ? null : await sql.TextAsync("SELECT readme FROM versions WHERE id = $1", found.Id).ConfigureAwait(false);
            return readme is null
                ? new Refusal(new Reject(RejectCodes.NotFound, 404, $"version `{found.Num}` of crate `{found.Crate.Name}` has no readme"))
                : Results.Text(readme, "text/plain; charset=utf-8");
        }, cancellationToken);

    /// <summary>
    /// Where the .crate file is, as crates.io says it: without a look at the database, in the spelling of the request. The file's own
    /// URL answers for versions that exist.
    /// </summary>
    private static IResult Download(string name, string version, HttpContext context, RegistryOptions options)
    {
        if (NameRules.Check(name, NameUse.Crate) is not null) return new Refusal(CrateLookup.NoCrate(name));
        if (CheckVersion(version) is { } reject) return new Refusal(reject);
        var url = FileUrl(options, name, version);
        context.Response.Headers.Vary = "accept";
        if (!context.Request.Headers.Accept.ToString().Contains("json", StringComparison.OrdinalIgnoreCase)) return Results.Redirect(url);
        return new JsonAnswer(json =>
        {
            json.WriteStartObject();
            json.WriteString("url", url);
            json.WriteEndObject();
        });
    }

    /// <summary>The URL of a .crate file. A plus sign is written so that no server on the way can take it for a blank.</summary>
    internal static string FileUrl(RegistryOptions options, string name, string version) =>
        $"{options.PublicUrl}/crates/{name}/{name}-{version.Replace("+", "%2B", StringComparison.Ordinal)}.crate";

    private static ValueTask<FoundVersion?> FindAsync(Statements sql, FoundCrate crate, string num) =>
        crate.IsMirrored ? MirroredVersions.FindAsync(sql, crate, num) : CrateLookup.VersionAsync(sql, crate, num);

    private static async Task<IResult> WithVersionAsync(
        string name, string num, IDatabase database, Func<Statements, FoundVersion, ValueTask<IResult>> answer, CancellationToken cancellationToken)
    {
        if (CheckVersion(num) is { } invalid) return new Refusal(invalid);
        return await database.ReadAsync(
            async sql =>
            {
                if (await CrateLookup.CrateAsync(sql, name).ConfigureAwait(false) is not { } crate) return new Refusal(CrateLookup.NoCrate(name));
                if (await FindAsync(sql, crate, num).ConfigureAwait(false) is not { } version) return new Refusal(CrateLookup.NoVersion(crate.Name, num));
                return await answer(sql, version).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }
}
