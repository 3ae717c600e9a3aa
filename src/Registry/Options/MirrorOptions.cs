namespace Pipeline.Registry.Options;

/// <summary>How files of mirrored crates are fetched and kept. Section <c>Mirror</c>.</summary>
public sealed record MirrorOptions
{
    /// <summary>How many files this process fetches side by side.</summary>
    public int FileConcurrency { get; init; } = 8;

    /// <summary>The most bytes per second that this process fetches; 0: no limit.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>The most bytes of one file.</summary>
    public long MaxFileBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>How long one file may take in all, in seconds.</summary>
    public double FileSeconds { get; init; } = 600;

    /// <summary>How long an upstream may say nothing, in seconds.</summary>
    public double IdleSeconds { get; init; } = 30;

    /// <summary>The most bytes of files that are kept; what was used longest ago goes first. 0: no limit.</summary>
    public long MaxBytes { get; init; }

    /// <summary>Networks that are not public and to which an upstream may send us all the same, such as <c>10.0.0.0/8</c>.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>The proxy that files are fetched through; null: none.</summary>
    public string? Proxy { get; init; }

    /// <summary>Checks them.</summary>
    /// <exception cref="InvalidOperationException">One is out of its range; the message names its key.</exception>
    public void Check()
    {
        if (FileConcurrency is < 1 or > 256) throw new InvalidOperationException("Mirror:FileConcurrency is between 1 and 256");
        if (BytesPerSecond < 0) throw new InvalidOperationException("Mirror:BytesPerSecond is not negative");
        if (MaxFileBytes < 1) throw new InvalidOperationException("Mirror:MaxFileBytes is at least 1");
        if (FileSeconds is not (> 0 and <= 86400)) throw new InvalidOperationException("Mirror:FileSeconds is above 0 and at most 86400");
        if (IdleSeconds is not (> 0 and <= 86400)) throw new InvalidOperationException("Mirror:IdleSeconds is above 0 and at most 86400");
        if (MaxBytes < 0) throw new InvalidOperationException("Mirror:MaxBytes is not negative");
        if (Proxy is not null && !(Uri.TryCreate(Proxy, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp)) throw new InvalidOperationException("Mirror:Proxy is an http URL");
    }
}
