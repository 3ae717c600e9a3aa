# PostgreSQL, one database `pipeline`.
user=postgres

bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
has_postgres() { [ -x "$(bin)/initdb" ]; }
install() { need_server_packages "PostgreSQL" has_postgres postgresql-15; }

ctl() { (cd "$D" && run_as $user "$(bin)/pg_ctl" -D "$D/data" -w -t 60 -s -l "$D/log" "$@"); }

up() {
    local port password
    if [ -e "$D/env" ]; then
        ctl status >/dev/null 2>&1 || restart
        return
    fi
    mkdir -p "$D/sock"
    chmod 755 "$D"
    let_pass $user "$D"
    port=$(free_port) password=$(new_password)
    (umask 077 && printf '%s' "$password" >"$D/password")
    if [ "$(id -u)" = 0 ]; then chown -R $user: "$D"; fi
    (cd "$D" && run_as $user "$(bin)/initdb" -D "$D/data" -U pipeline -E UTF8 --locale=C.UTF-8 -A scram-sha-256 --pwfile="$D/password" --no-sync --no-instructions) >"$D/initdb.log" 2>&1 ||
        { cat "$D/initdb.log" && return 1; }
    {
        printf "listen_addresses = '127.0.0.1'\nport = %s\nunix_socket_directories = '%s/sock'\n" "$port" "$D"
        printf "max_connections = 300\nshared_buffers = 128MB\njit = off\ntimezone = 'UTC'\nlog_timezone = 'UTC'\nmax_wal_size = 1GB\n"
        # synchronous_commit stays on: switched off, a killed server forgets what it has answered; without fsync only a killed machine does.
        [ -n "$durable" ] || printf 'fsync = off\nfull_page_writes = off\n'
    } >>"$D/data/postgresql.conf"
    (umask 077 && printf 'port=%s password=%s\n' "$port" "$password" >"$D/env.next")
    ctl start || { cat "$D/log" && return 1; }
    PGPASSWORD=$password "$(bin)/createdb" -h 127.0.0.1 -p "$port" -U pipeline pipeline
    mv "$D/env.next" "$D/env"
}

exports() {
    . "$D/env"
    printf "export PIPELINE__Database__Postgres='Host=127.0.0.1;Port=%s;Username=pipeline;Password=%s;Database=pipeline'\n" "$port" "$password"
}

down() {
    . "$D/env"
    ctl -m fast stop
    release_ports "$port"
}

# The postmaster first, or it sees its children die; then the lock files, since it takes a process not yet collected for a live one.
crash() {
    local pid children
    pid=$(head -1 "$D/data/postmaster.pid")
    children=$(cat "/proc/$pid/task/"*/children)
    kill -9 "$pid" $children 2>/dev/null || true
    for pid in $pid $children; do while alive "$pid"; do sleep 0.02; done; done
    rm -f "$D/data/postmaster.pid" "$D"/sock/.s.PGSQL.*
}

restart() { ctl start; }

reboot() { ctl -m fast restart; }
