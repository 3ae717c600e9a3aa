namespace Pipeline.Tests.Serving;

/// <summary>Somebody who may use a registry.</summary>
/// <param name="Login">The login.</param>
/// <param name="Token">A token of that account, without limits.</param>
public sealed record Account(string Login, string Token);
