namespace Pipeline.Api.Access;

/// <summary>The policy that let a request pass, for who has taken a body meanwhile.</summary>
internal interface IReadPolicy
{
    /// <summary>Whether it still would; otherwise the refusal was answered.</summary>
    Task<bool> StillAllowsAsync();
}
