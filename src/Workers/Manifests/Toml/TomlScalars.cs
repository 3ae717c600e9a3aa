using System.Globalization;

namespace Pipeline.Workers.Manifests.Toml;

/// <summary>A string of any of the four forms, with escapes resolved. Newlines inside are kept as written.</summary>
public sealed class TomlString : TomlValue
{
    internal TomlString(string value, TomlSpan span) : base(span) => Value = value;

    /// <summary>The text.</summary>
    public string Value { get; }

    /// <summary>The text.</summary>
    public override string ToString() => Value;
}

/// <summary>A 64-bit integer, whatever base it was written in.</summary>
public sealed class TomlInteger : TomlValue
{
    internal TomlInteger(long value, TomlSpan span) : base(span) => Value = value;

    /// <summary>The number.</summary>
    public long Value { get; }

    /// <summary>The number in decimal.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>An IEEE 754 binary64 number, infinities and not-a-number included.</summary>
public sealed class TomlFloat : TomlValue
{
    internal TomlFloat(double value, TomlSpan span) : base(span) => Value = value;

    /// <summary>The number.</summary>
    public double Value { get; }

    /// <summary>The shortest decimal that reads back as the same number.</summary>
    public override string ToString() => Value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary><c>true</c> or <c>false</c>.</summary>
public sealed class TomlBoolean : TomlValue
{
    internal TomlBoolean(bool value, TomlSpan span) : base(span) => Value = value;

    /// <summary>The truth value.</summary>
    public bool Value { get; }

    /// <summary>The TOML word.</summary>
    public override string ToString() => Value ? "true" : "false";
}
