using System.Collections.Frozen;

namespace Pipeline.Contracts;

/// <summary>Names that nobody can publish: the toolchain's own, and those Windows reads as devices (crates-io-behaviour §1.5).</summary>
public static class ReservedNames
{
    private const string Toolchain =
        "alloc arena ast builtins collections compiler-builtins compiler-rt compiletest core coretest debug driver flate fmt_macros grammar " +
        "graphviz macro macros proc_macro rbml rust-installer rustbook rustc rustc_back rustc_borrowck rustc_driver rustc_llvm rustc_resolve " +
        "rustc_trans rustc_typeck rustdoc rustllvm rustuv serialize std syntax test unicode";

    private const string WindowsDevices =
        "nul con prn aux com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9";

    private static readonly FrozenSet<string> Names =
        $"{Toolchain} {WindowsDevices}".Split(' ').Select(name => CanonicalName.Of(name).Text).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether the name, in any spelling, is reserved.</summary>
    public static bool Contains(CanonicalName name) => Names.Contains(name.Text);
}
