namespace Pipeline.Workers.Tests.Manifests.Toml;

/// <summary>Documents that several tests start from.</summary>
internal static class TomlSamples
{
    /// <summary>A little of everything TOML has.</summary>
    public static byte[] Broad { get; } =
        """"
        # comment
        title = "with \u00e9scape \e \x41" # behind
        'literal key' = 'c:\path'
        many = """
        first \
            line
        "" quotes """
        raw = '''
        line 'one' ''
        '''
        numbers = [1, -2_000, 0xdead_beef, 0o17, 0b1010, 3.14, -1e-3, +inf, nan, true, false]
        dates = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5-07:00, 1979-05-27T07:32, 1979-05-27, 07:32:00]
        inline = { a = 1, b.c = [ { d = "é🦀" }, ], # comment
          e = {},
        }
        physical.color = "orange"
        physical.shape = "round"
        [a.b.c]
        x = 1
        [a]
        y.z = 2
        [[products]]
        name = "Hammer"
        [products.dimensions]
        width = 7
        [[products]]
        [[products.tags]]
        "" = 1
        """"u8.ToArray();
}
