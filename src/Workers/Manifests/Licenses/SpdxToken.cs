namespace Pipeline.Workers.Manifests.Licenses;

/// <summary>What a piece of an SPDX expression is.</summary>
internal enum SpdxToken
{
    /// <summary>No token: before the first, or after the last.</summary>
    None,

    /// <summary>An id of the SPDX licence list.</summary>
    License,

    /// <summary><c>LicenseRef-…</c>, with or without <c>DocumentRef-…:</c>.</summary>
    LicenseRef,

    /// <summary>An id of the SPDX exception list.</summary>
    Exception,

    /// <summary><c>AdditionRef-…</c>, with or without <c>DocumentRef-…:</c>.</summary>
    AdditionRef,

    /// <summary><c>+</c>: or any later version.</summary>
    Plus,

    /// <summary><c>(</c>.</summary>
    Open,

    /// <summary><c>)</c>.</summary>
    Close,

    /// <summary><c>WITH</c> or <c>with</c>.</summary>
    With,

    /// <summary><c>AND</c> or <c>and</c>.</summary>
    And,

    /// <summary><c>OR</c>, <c>or</c> or <c>/</c>.</summary>
    Or,
}
