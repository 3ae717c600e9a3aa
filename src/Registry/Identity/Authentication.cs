using System.Diagnostics.CodeAnalysis;
using Pipeline.Contracts;

namespace Pipeline.Registry.Identity;

/// <summary>The outcome of authentication: a caller, or why there is none.</summary>
public readonly record struct Authentication
{
    private Authentication(Caller? caller, Reject? reject) => (Caller, Reject) = (caller, reject);

    /// <summary>The caller.</summary>
    public Caller? Caller { get; }

    /// <summary>Why there is none: 401 or 403.</summary>
    public Reject? Reject { get; }

    /// <summary>Whether there is a caller.</summary>
    [MemberNotNullWhen(true, nameof(Caller))]
    [MemberNotNullWhen(false, nameof(Reject))]
    public bool Succeeded => Caller is not null;

    /// <summary>It is this caller.</summary>
    public static Authentication Of(Caller caller) => new(caller, null);

    /// <summary>It is nobody, for this reason.</summary>
    public static Authentication Refused(Reject reject) => new(null, reject);
}
