# Sourced by the scripts beside it. Says what is missing on this machine and, as root, installs it.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
# The SDK wants a home folder; service accounts and containers may lack one.
export DOTNET_CLI_HOME=${DOTNET_CLI_HOME:-${HOME:-$root/artifacts}}

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# need_package PACKAGE WHAT CHECK…: runs the check; if it fails, installs the Debian package, or says how.
need_package() {
    local package=$1 what=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$what is missing: install it (Debian: apt-get install $package), or run this as root once"
    say "$what is missing, installing $package"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" >&2 ||
        { apt-get update >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" >&2; } ||
        fail "$package could not be installed"
    "$@" >/dev/null 2>&1 || fail "$what is still missing after $package was installed"
}

need_sdk() {
    command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing and is in no Debian package: install it (dotnet.microsoft.com) and put dotnet into PATH"
    (cd "$root" && dotnet --version) >/dev/null 2>&1 || fail "dotnet is there, but not the SDK that global.json asks for: install the .NET 10 SDK"
}

has_sqlite() {
    local file
    for file in /usr/lib/*/libsqlite3.so.0 /usr/lib/libsqlite3.so.0 /usr/lib64/libsqlite3.so.0 /usr/local/lib/libsqlite3.so.0; do
        [ -e "$file" ] && return
    done
    return 1
}

# What the server needs to run.
need_server() {
    need_package git "git" command -v git
    need_package libsqlite3-0 "SQLite's library" has_sqlite
}

# The build that `pipeline` runs from: artifacts/cli is a link to it.
build_link=$root/artifacts/cli

# What a build is made from: names and times of all sources.
sources() {
    find "$root/src" "$root"/Directory.*.props "$root/Directory.Build.targets" "$root/global.json" \
        \( -name bin -o -name obj \) -prune -o -type f -printf '%p %T@\n' | LC_ALL=C sort | cksum
}

build_is_current() { [ -e "$build_link/.built" ] && [ "$(<"$build_link/.built")" = "$(sources)" ]; }

# Builds the CLI ahead of time into a folder of its own, then moves the link: a server that runs from the build before keeps its files.
build_cli() {
    local folder
    need_sdk
    folder=$root/artifacts/builds/$(date +%s%N)
    mkdir -p "$folder"
    say "building"
    # Taken before the build: a file saved meanwhile makes it outdated.
    sources >"$folder/.built"
    # Not with the lock: the compiler's server outlives the build and would hold it.
    if ! dotnet publish "$root/src/Cli/Cli.csproj" -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true \
        -o "$folder" -v q --nologo >&2 8>&-; then
        rm -rf "$folder"
        fail "the build failed"
    fi
    ln -sfn "builds/$(basename "$folder")" "$build_link.next"
    mv -T "$build_link.next" "$build_link"
    remove_old_builds
}

# Removes the builds that no process runs from. Each holds its folder's lock as long as it lives (run_cli); one that has just
# followed the link may not have it yet, so young folders stay.
remove_old_builds() {
    local folder
    find "$root/artifacts/builds" -mindepth 1 -maxdepth 1 -mmin +5 | while read -r folder; do
        [ "$folder" -ef "$build_link" ] || ! flock -n "$folder/.built" true || rm -rf "$folder"
    done
}

# Becomes the `pipeline` command, built first where that is due. Concurrent calls build once.
run_cli() {
    local folder
    if ! build_is_current; then
        mkdir -p "$root/artifacts"
        exec 8>"$root/artifacts/.lock"
        flock 8
        build_is_current || build_cli
        exec 8>&-
    fi
    folder=$(readlink -f "$build_link")
    # A runtime that is only in PATH is not found by the program itself.
    if [ -z "${DOTNET_ROOT:-}" ] && command -v dotnet >/dev/null; then DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")"); fi
    [ ! -d "${DOTNET_ROOT:-}/shared" ] || export DOTNET_ROOT
    exec 9<"$folder/.built"
    flock -s 9
    export PIPELINE_DATA=${PIPELINE_DATA:-$root/.pipeline}
    exec "$folder/pipeline" "$@"
}
