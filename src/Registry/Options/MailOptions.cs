using Pipeline.Contracts;

namespace Pipeline.Registry.Options;

/// <summary>How operators are told by mail. Section <c>Mail</c>.</summary>
public sealed record MailOptions
{
    /// <summary>The SMTP server; none: no mails.</summary>
    public string? Host { get; init; }

    /// <summary>Its port.</summary>
    public int Port { get; init; } = 25;

    /// <summary>Whether the connection must be encrypted.</summary>
    public MailTls Tls { get; init; } = MailTls.StartTls;

    /// <summary>The user, where the server asks for one.</summary>
    public string? User { get; init; }

    /// <summary>The user's password.</summary>
    public Secret? Password { get; init; }

    /// <summary>The address that mails are from.</summary>
    public string? From { get; init; }

    /// <summary>The addresses that they go to.</summary>
    public IReadOnlyList<string> To { get; init; } = [];

    /// <summary>How long sending one may take in all, in seconds.</summary>
    public double TimeoutSeconds { get; init; } = 30;

    /// <summary>Whether mails are sent.</summary>
    public bool IsOn => !string.IsNullOrEmpty(Host);

    /// <summary>Checks them.</summary>
    /// <exception cref="InvalidOperationException">One does not hold; the message names its key.</exception>
    public void Check()
    {
        if (!IsOn) return;
        Require(Port is > 0 and < 65536, nameof(Port), "is no port");
        Require(IsAddress(From), nameof(From), "is no mail address");
        Require(To.Count > 0, nameof(To), "names nobody");
        Require(To.All(IsAddress), nameof(To), "has an entry that is no mail address");
        Require(User is null == Password is null, nameof(Password), "must be given together with Mail:User, or neither");
        Require(User is null || Tls == MailTls.StartTls, nameof(Tls), "must be `starttls` where there is a password");
        Require(TimeoutSeconds is > 0 and <= 3600, nameof(TimeoutSeconds), "is above 0 and at most 3600");
    }

    private static void Require(bool holds, string key, string wrong)
    {
        if (!holds) throw new InvalidOperationException($"Mail:{key} {wrong}");
    }

    private static bool IsAddress(string? text) => text is not null && System.Net.Mail.MailAddress.TryCreate(text, out _);
}

/// <summary>Whether the connection to the SMTP server must be encrypted.</summary>
public enum MailTls
{
    /// <summary>Not at all: for a server on the same machine or network.</summary>
    None,

    /// <summary>By STARTTLS; a server that does not offer it gets no mail.</summary>
    StartTls,
}
