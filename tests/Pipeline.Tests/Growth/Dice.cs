using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Pipeline.Tests.Growth;

/// <summary>Makes values of any type up, the same ones in each run of the test: arguments for whatever method has to be called.</summary>
internal sealed class Dice(int seed)
{
    private const int Deepest = 6;
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    // What columns and arguments hold: numbers, versions, names, lists and objects, words of the product.
    private static readonly string[] Texts = ["1", "local", "1", "local", "[]", "{}", "1.0.0", "serde", "git", "sparse", "active", "kept", "https://registry.example/", "[\"1\"]"];

    private static readonly ConcurrentDictionary<Type, Type[]> Members = [];

#pragma warning disable CA5394 // a game of chance, and the same one each time
    private readonly Random _random = new(seed);

    /// <summary>A number from zero to below another.</summary>
    public int Next(int below) => _random.Next(below);
#pragma warning restore CA5394

    /// <summary>What is taken for a type, whatever else could be made of it.</summary>
    public Dictionary<Type, object> Given { get; } = [];

    /// <summary>A text.</summary>
    public string Text() => Texts[Next(Texts.Length)];

    /// <summary>A value of a type; null where none can be made.</summary>
    public object? Make(Type type, int depth = 0)
    {
        if (Given.TryGetValue(type, out var given)) return given;
        if (Nullable.GetUnderlyingType(type) is { } inner) return Next(2) == 0 ? null : Make(inner, depth);
        if (type == typeof(string)) return Text();
        if (type == typeof(bool)) return Next(2) == 0;
        if (type == typeof(TimeProvider)) return TimeProvider.System;
        if (type == typeof(CancellationToken)) return CancellationToken.None;
        if (type.IsEnum) return Enum.GetValues(type) is { Length: > 0 } all ? all.GetValue(Next(all.Length)) : null;
        if (type.IsPrimitive) return Convert.ChangeType(Next(3), type, System.Globalization.CultureInfo.InvariantCulture);
        if (depth > Deepest || type.IsPointer || type.IsByRefLike || type.ContainsGenericParameters) return null;
        if (type.IsArray) return ArrayOf(type.GetElementType()!, depth);
        if (type.IsGenericType && ListOf(type, depth) is { } list) return list;
        if (!IsOurs(type) || type.IsInterface || typeof(Delegate).IsAssignableFrom(type)) return null;
        if (type.IsAbstract) return Member(type) is { } member ? Make(member, depth + 1) : null;
        // Of a service no constructor runs: it could open files or start threads.
        return type.IsValueType || type.GetMethod("<Clone>$") is not null ? Construct(type, depth) : Fill(type, depth);
    }

    /// <summary>An object whose fields are all made up: what the compiler makes of the variables that a lambda holds.</summary>
    public object Fill(Type type, int depth = 0)
    {
        var filled = RuntimeHelpers.GetUninitializedObject(type);
        foreach (var field in type.GetFields(Any).Where(static field => !field.IsStatic && !field.IsLiteral)) field.SetValue(filled, Make(field.FieldType, depth + 1));
        return filled;
    }

    private Array ArrayOf(Type element, int depth)
    {
        var array = Array.CreateInstance(element, 1);
        array.SetValue(Make(element, depth + 1), 0);
        return array;
    }

    private object? ListOf(Type type, int depth)
    {
        var arguments = type.GetGenericArguments();
        if (arguments.Length == 1 && type.IsAssignableFrom(typeof(List<>).MakeGenericType(arguments)))
        {
            var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(arguments))!;
            if (Next(4) > 0) list.Add(Make(arguments[0], depth + 1));
            return list;
        }

        if (arguments.Length == 1 && type.IsAssignableFrom(typeof(HashSet<>).MakeGenericType(arguments))) return Activator.CreateInstance(typeof(HashSet<>).MakeGenericType(arguments), ArrayOf(arguments[0], depth));
        return arguments.Length == 2 && type.IsAssignableFrom(typeof(Dictionary<,>).MakeGenericType(arguments)) ? Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(arguments)) : null;
    }

    // Of a closed hierarchy of ours, one of its members.
    private Type? Member(Type type)
    {
        var members = Members.GetOrAdd(type, static of => [.. of.Assembly.GetTypes().Where(one => one is { IsAbstract: false, ContainsGenericParameters: false } && of.IsAssignableFrom(one))]);
        return members.Length == 0 ? null : members[Next(members.Length)];
    }

    private static bool IsOurs(Type type) => type.Assembly.GetName().Name?.StartsWith("Pipeline", StringComparison.OrdinalIgnoreCase) == true;

    private object? Construct(Type type, int depth)
    {
        foreach (var constructor in type.GetConstructors(Any).OrderByDescending(static one => one.GetParameters().Length))
        {
            try
            {
                if (constructor.GetParameters() is [var only] && only.ParameterType == type) continue;
                var made = constructor.Invoke([.. constructor.GetParameters().Select(parameter => Make(parameter.ParameterType, depth + 1))]);
                // What an initialiser would have set.
                foreach (var field in type.GetFields(Any).Where(field => !field.FieldType.IsValueType && field.GetValue(made) is null)) field.SetValue(made, Make(field.FieldType, depth + 1));
                return made;
            }
            catch (Exception e) when (e is TargetInvocationException or ArgumentException or MemberAccessException)
            {
                // Refused what was made up: another constructor, or none.
            }
        }

        return type.IsValueType ? Activator.CreateInstance(type) : Fill(type, depth);
    }
}
