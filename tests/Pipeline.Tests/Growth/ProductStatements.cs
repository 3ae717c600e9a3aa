using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Pipeline.Cli;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Truth;
using Pipeline.Workers;
using Pipeline.Workers.GitIndex;
using Pipeline.Workers.Search;

namespace Pipeline.Tests.Growth;

/// <summary>
/// The statements of the product, by calling every method that takes <see cref="Statements"/>, lambdas too, many times with anything; and the
/// literals of its assemblies that look like SQL, by which a statement is noticed that was not met so.
/// </summary>
internal static partial class ProductStatements
{
    // As often as it takes to have been on every way through a method.
    private const int Throws = 40;

    // A text given to a method that is not public may be meant for a piece of SQL: with this in it a statement is nobody's.
    private const string MadeUp = "«made up»";

    // The one place where a piece of a statement is chosen by the caller of the caller.
    private const string Order = "order";

    private static readonly Assembly[] Assemblies = [typeof(Statements).Assembly, typeof(Api.ApiSetup).Assembly, typeof(WorkerCatalogue).Assembly, typeof(CommandLine).Assembly];

    /// <summary>All that were met, for an engine.</summary>
    public static async Task<HashSet<string>> MetAsync(Dialect dialect)
    {
        var met = new HashSet<string>(StringComparer.Ordinal);
        var methods = Assemblies.SelectMany(static assembly => assembly.GetTypes()).Where(static type => !type.ContainsGenericParameters)
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(static method => !method.IsAbstract && method.GetParameters().Any(static parameter => parameter.ParameterType == typeof(Statements)))
            .OrderBy(static method => $"{method.DeclaringType} {method}", StringComparer.Ordinal).ToList();
        for (var seed = 0; seed < Throws; seed++)
        {
            foreach (var method in methods) await CallAsync(method, dialect, new Dice(seed), sql => Add(met, sql));
        }

        // What stages say of their rows, which the engine of stages runs.
        foreach (var stage in WorkerCatalogue.All.Select(static worker => worker.Stage))
        {
            foreach (var sql in (stage.Replay?.ResetSql ?? []).Append(stage.DelaySql ?? "")) Add(met, sql);
        }

        return met;
    }

    /// <summary>The literals of the product that look like SQL.</summary>
    public static SortedSet<string> Literals()
    {
        var literals = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var assembly in Assemblies)
        {
            using var file = new PEReader(File.OpenRead(assembly.Location));
            var metadata = file.GetMetadataReader();
            for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
            {
                var text = metadata.GetUserString(handle);
                if (LooksLikeSql().IsMatch(text)) literals.Add(text);
            }
        }

        return literals;
    }

    /// <summary>Whether a text is a statement from its beginning on.</summary>
    public static bool IsStatement(string text) => Begins().IsMatch(text);

    private static void Add(HashSet<string> met, string sql)
    {
        if (IsStatement(sql) && !sql.Contains(MadeUp, StringComparison.Ordinal)) met.Add(sql);
    }

    private static async Task CallAsync(MethodInfo method, Dialect dialect, Dice dice, Action<string> met)
    {
        var database = new AnyDatabase(dialect, dice, met);
        dice.Given[typeof(IDatabase)] = database;
        dice.Given[typeof(Dialect)] = dialect;
        // What is made of the engine's words when it is constructed.
        dice.Given[typeof(SearchProjection)] = new SearchProjection(database, TimeProvider.System);
        dice.Given[typeof(LaggingCrates)] = new LaggingCrates(database);
        dice.Given[typeof(RemoteIndex)] = new RemoteIndex(database, new RegistryOptions(), new Lease(database, "git", "process", TimeSpan.FromMinutes(1), TimeProvider.System));
        // What a lambda has from code that did not run.
        dice.Given[typeof(StringBuilder)] = new StringBuilder("[1]");
        dice.Given[typeof(JsonArray)] = new JsonArray("1");
        using var statements = database.Open();
        dice.Given[typeof(Statements)] = statements;
        try
        {
            var called = method.IsGenericMethodDefinition ? method.MakeGenericMethod([.. method.GetGenericArguments().Select(static _ => typeof(object))]) : method;
            var type = called.DeclaringType!;
            var target = called.IsStatic ? null : type.GetCustomAttribute<CompilerGeneratedAttribute>() is null ? dice.Make(type) : dice.Fill(type);
            type.GetField(Order)?.SetValue(target, MadeUp);
            var arguments = called.GetParameters().Select(parameter => Argument(parameter, called, dice)).ToArray();
            var result = called.Invoke(target, arguments);
            if (result is not Task && result?.GetType().GetMethod(nameof(ValueTask.AsTask)) is { } asTask) result = asTask.Invoke(result, null);
            // Everything it waits for has been answered already; what is not is something that was made up.
            if (result is Task { IsCompleted: true } task) await task;
        }
        catch (Exception)
        {
            // What was made up made no sense to it. Its statements until then were met; the others are at another throw, or are noticed by their literals.
        }
    }

    private static object? Argument(ParameterInfo parameter, MethodInfo method, Dice dice)
    {
        var type = parameter.ParameterType.IsByRef ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
        if (type != typeof(string) || (method.IsPublic && parameter.Name != "table")) return dice.Make(type);
        return parameter.Name == Order ? method.DeclaringType!.GetField(dice.Next(2) == 0 ? "BySemver" : "ByDate", BindingFlags.Static | BindingFlags.NonPublic)?.GetRawConstantValue() : MadeUp;
    }

    [GeneratedRegex(@"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")]
    private static partial Regex Begins();

    [GeneratedRegex(@"\b(SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET|WHERE|JOIN|ORDER BY|GROUP BY|ON CONFLICT|RETURNING|LIMIT \$|(AND|OR) [\w.( ]+ (=|<|>|<=|>=|<>|IS|IN)( |$))")]
    private static partial Regex LooksLikeSql();
}
