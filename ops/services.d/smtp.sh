# An SMTP server that keeps what it is sent: every mail a file in DIR/smtp/box/new.
has_smtp() { /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null; }
install() { need_server_packages "an SMTP server" has_smtp python3-aiosmtpd; }

up() {
    if [ -e "$D/env" ]; then
        . "$D/env"
        listens "$port" || restart
        return
    fi
    port=$(free_port)
    printf 'port=%s\n' "$port" >"$D/env"
    restart
}

# Debian's own Python has the module, another in PATH has not.
restart() {
    . "$D/env"
    launch "$D/smtp.pid" "$D/log" /usr/bin/python3 -m aiosmtpd -n -l "127.0.0.1:$port" -c aiosmtpd.handlers.Mailbox "$D/box"
    wait_for 20 "the SMTP server" listens "$port" || { cat "$D/log" && return 1; }
}

exports() {
    . "$D/env"
    printf 'export PIPELINE__Mail__Host=127.0.0.1 PIPELINE__Mail__Port=%s PIPELINE__Mail__Tls=none PIPELINE__Mail__From=registry@localhost PIPELINE__Mail__To__0=operator@localhost\n' "$port"
}

down() {
    . "$D/env"
    stop_process "$D/smtp.pid" 5
    release_ports "$port"
}

crash() { kill_process "$D/smtp.pid"; }
