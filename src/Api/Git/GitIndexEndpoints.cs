using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Pipeline.Api.Git;

/// <summary>The git index at <c>/git/index</c>, read-only, by git's smart HTTP protocol (cargo-client-behaviour §6).</summary>
public static class GitIndexEndpoints
{
    /// <summary>Registers what serving needs beside <c>AddGitIndex</c>.</summary>
    public static IServiceCollection AddGitServing(this IServiceCollection services, GitServeOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<FetchSlots>();
        services.AddSingleton<UploadPack>();
        return services;
    }

    /// <summary>Maps the index and its alias with <c>.git</c>. The group returned is where a read policy is added.</summary>
    public static RouteGroupBuilder MapGitIndex(this IEndpointRouteBuilder endpoints)
    {
        var git = endpoints.MapGroup("/git");
        foreach (var name in new[] { "index", "index.git" })
        {
            git.MapGet($"{name}/info/refs", InfoRefs);
            git.MapPost($"{name}/git-upload-pack", static (HttpContext context, UploadPack uploadPack) => uploadPack.AnswerAsync(context));
            git.MapPost($"{name}/git-receive-pack", static context => PlainText.WriteAsync(context, 403, "the index is written by the registry alone: publish with cargo"));
            git.Map($"{name}/{{**rest}}", static context => PlainText.WriteAsync(context, 404, "this is a git repository for cargo and git, by the smart protocol: git clone this URL"));
        }

        return git;
    }

    private static Task InfoRefs(HttpContext context, UploadPack uploadPack) => context.Request.Query["service"].ToString() switch
    {
        "git-upload-pack" => uploadPack.AdvertiseAsync(context),
        "git-receive-pack" => PlainText.WriteAsync(context, 403, "the index is written by the registry alone: publish with cargo"),
        _ => PlainText.WriteAsync(context, 403, "the dumb protocol is not served: use git 1.6.6 or later"),
    };
}
