# RabbitMQ with its management plugin. Never Debian's wrappers in /usr/sbin: they switch users and folders.
sbin() { ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin 2>/dev/null | tail -1; }
has_rabbitmq() { [ -x "$(sbin)/rabbitmq-server" ] && command -v curl >/dev/null; }
install() { need_server_packages "RabbitMQ" has_rabbitmq rabbitmq-server curl; }

# An epmd of its own keeps this node unseen by every other on the machine.
settings() {
    . "$D/env"
    export HOME=$D/home LANG=C.UTF-8 LC_ALL=C.UTF-8
    export ERL_EPMD_PORT=$epmd ERL_EPMD_ADDRESS=127.0.0.1
    export RABBITMQ_NODENAME=pipeline@localhost RABBITMQ_DIST_PORT=$dist
    export RABBITMQ_CTL_DIST_PORT_MIN=$((dist + 1)) RABBITMQ_CTL_DIST_PORT_MAX=$((dist + 20))
    export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$D/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$D/none
    export RABBITMQ_ENABLED_PLUGINS_FILE=$D/plugins RABBITMQ_MNESIA_BASE=$D/mnesia RABBITMQ_LOG_BASE=$D/log
    export RABBITMQ_PID_FILE=$D/node.pid RABBITMQ_GENERATED_CONFIG_DIR=$D/generated RABBITMQ_PLUGINS_EXPAND_DIR=$D/expanded RABBITMQ_LOGS=-
    # Erlang's schedulers would spin while idle and take the cores from what is measured.
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +SDcpu 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
}

answers() { curl -fsS -o /dev/null --max-time 2 -u "pipeline:$password" "http://127.0.0.1:$management/api/overview"; }

restart() {
    settings
    cd "$D"
    if ! { [ -s epmd.pid ] && alive "$(<epmd.pid)"; }; then
        launch epmd.pid epmd.log epmd -port "$epmd" -address 127.0.0.1 -relaxed_command_check
        wait_for 10 "epmd" listens "$epmd"
    fi
    launch shell.pid out.log "$(sbin)/rabbitmq-server"
    # The port opens last but one; the management API answers once everything is there.
    wait_for 120 "RabbitMQ" answers || { tail -30 out.log && return 1; }
}

up() {
    if [ -e "$D/env" ]; then
        settings
        answers 2>/dev/null || restart
        return
    fi
    mkdir -p "$D"/{home,mnesia,log}
    port=$(free_port) management=$(free_port) epmd=$(free_port) dist=$(free_port) password=$(new_password)
    (umask 077 && new_password >"$D/home/.erlang.cookie")
    chmod 400 "$D/home/.erlang.cookie"
    printf '[rabbitmq_management].\n' >"$D/plugins"
    printf '%s\n' "listeners.tcp.1 = 127.0.0.1:$port" 'management.tcp.ip = 127.0.0.1' "management.tcp.port = $management" \
        'default_user = pipeline' "default_pass = $password" 'loopback_users = none' 'disk_free_limit.absolute = 50MB' \
        'vm_memory_high_watermark.absolute = 1GB' 'heartbeat = 10' 'log.console = true' 'log.file = false' >"$D/rabbitmq.conf"
    (umask 077 && printf 'port=%s management=%s epmd=%s dist=%s password=%s\n' "$port" "$management" "$epmd" "$dist" "$password" >"$D/env")
    restart
}

exports() {
    . "$D/env"
    printf "export PIPELINE__Bus__RabbitMq='amqp://pipeline:%s@127.0.0.1:%s/'\n" "$password" "$port"
    printf "export RABBITMQ_MANAGEMENT='http://pipeline:%s@127.0.0.1:%s'\n" "$password" "$management"
}

# TERM closes listeners and stores at once, then the machine idles for five seconds: it is not waited for.
down() {
    . "$D/env"
    stop_process "$D/node.pid" 1
    stop_process "$D/epmd.pid" 2
    release_ports "$port" "$management" "$epmd" "$dist"
}

crash() { kill_process "$D/node.pid"; }

# ctl_eval EXPRESSION: in the running node, whose listeners close and open again while its machine goes on.
ctl_eval() {
    settings
    (cd "$D" && "$(sbin)/rabbitmqctl" --quiet --node "$RABBITMQ_NODENAME" eval "$1") >"$D/ctl.log" 2>&1 || { cat "$D/ctl.log" && return 1; }
    wait_for 60 "RabbitMQ" answers
}
reboot() { ctl_eval 'rabbit:stop(), rabbit:start().'; }
# Queues, exchanges and messages are gone; users and the host of the configuration are made again.
wipe() { ctl_eval 'rabbit:stop(), rabbit_mnesia:reset(), rabbit:start().'; }
