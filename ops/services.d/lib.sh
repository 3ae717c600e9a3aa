# Sourced by ops/services: ports, users, and the life of a process. A service file defines install, up, exports, down, crash and restart
# and keeps everything below $D.

# A port on 127.0.0.1 that nothing listens on, outside the range of outgoing connections, reserved by a folder while the instance lives.
free_port() {
    local port tries=0 reserved=${TMPDIR:-/tmp}/pipeline-ports.$UID
    mkdir -p "$reserved"
    while [ $((tries += 1)) -lt 300 ]; do
        port=$((10240 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
        mkdir "$reserved/$port" 2>/dev/null || continue
        printf '%s\n' "$port"
        return
    done
    fail "no free port"
}

release_ports() {
    local port
    for port in "$@"; do rmdir "${TMPDIR:-/tmp}/pipeline-ports.$UID/$port" 2>/dev/null || true; done
}

new_password() { head -c 18 /dev/urandom | base64 | tr -d '/+='; }

apt_quietly() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" >/dev/null; }

# install_packages PACKAGE…: as need_package, for servers: their packages must not start instances of their own.
install_packages() {
    local policy=/usr/sbin/policy-rc.d mine='' status=0
    if [ ! -e $policy ] && [ "$(id -u)" = 0 ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
        mine=yes
    fi
    apt_quietly "$@" ||
        { apt-get -qq update >&2 && apt_quietly "$@"; } || status=$?
    [ -z "$mine" ] || rm -f $policy
    return $status
}

# need_server_packages WHAT CHECK PACKAGE…
need_server_packages() {
    local what=$1 check=$2
    shift 2
    if $check; then return; fi
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$what is missing: install it (Debian: apt-get install --no-install-recommends $*), or run this as root once"
    say "$what is missing, installing $*"
    # Two scripts may want packages at once; apt itself only fails.
    (flock 9 && { $check || install_packages "$@"; }) 9>"${TMPDIR:-/tmp}/pipeline-install.$UID.lock" || fail "$* could not be installed"
    $check || fail "$what is still missing after $* was installed"
}

# run_as USER COMMAND…: servers that refuse root run as their package's user; anybody else runs them as himself. It execs, so that $! of a
# background call is the server.
run_as() {
    local user=$1
    shift
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups --inh-caps=-all env HOME=/nonexistent "$@"
    fi
    exec "$@"
}

# A temporary folder is often closed to other users: let them pass through those that are ours.
let_pass() {
    local user=$1 folder=$2
    [ "$(id -u)" = 0 ] || return 0
    while [ "$folder" != / ]; do
        (run_as "$user" test -x "$folder") || { [ -O "$folder" ] && chmod o+x "$folder"; }
        folder=$(dirname "$folder")
    done
}

# A process that nobody has collected yet (a zombie) is dead, although signals still reach it.
alive() { [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# wait_for SECONDS WHAT COMMAND…
wait_for() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" 2>/dev/null; do
        if [ $SECONDS -ge $end ]; then
            say "$what does not come up"
            return 1
        fi
        sleep 0.05
    done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# stop_process FILE [SECONDS]: TERM, then KILL; FILE holds the process id.
stop_process() {
    local pid end=$((SECONDS + ${2:-15}))
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    while alive "$pid"; do
        if [ $SECONDS -ge $end ]; then
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.05
    done
}

kill_process() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill -KILL "$pid" 2>/dev/null || true
    while alive "$pid"; do sleep 0.02; done
}

# launch FILE LOG COMMAND…: in a session of its own, its id in FILE, its output in LOG.
launch() {
    local file=$1 log=$2
    shift 2
    setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
    printf '%s\n' "$!" >"$file"
}
