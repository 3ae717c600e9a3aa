# A git remote over ssh: sshd for one key and one user, the caller, with one bare repository.
has_sshd() { [ -x /usr/sbin/sshd ] && command -v ssh >/dev/null && command -v git >/dev/null; }
install() { need_server_packages "sshd" has_sshd openssh-server openssh-client git; }

up() {
    if [ -e "$D/env" ]; then
        . "$D/env"
        listens "$port" || restart
        return
    fi
    port=$(free_port)
    chmod 700 "$D"
    ssh-keygen -q -t ed25519 -N '' -C host -f "$D/host_key"
    ssh-keygen -q -t ed25519 -N '' -C pipeline -f "$D/key"
    cp "$D/key.pub" "$D/authorized_keys"
    printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$D/host_key.pub")" >"$D/known_hosts"
    git init --quiet --bare --initial-branch=master "$D/index.git"
    cat >"$D/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey $D/host_key
PidFile none
AuthorizedKeysFile $D/authorized_keys
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
PermitTTY no
DisableForwarding yes
CONFIG
    printf 'port=%s\n' "$port" >"$D/env"
    restart
}

restart() {
    . "$D/env"
    # As root, sshd wants the folder into which its half without rights is locked.
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    launch "$D/sshd.pid" "$D/log" /usr/sbin/sshd -D -e -f "$D/sshd_config"
    wait_for 30 "sshd" listens "$port" || { cat "$D/log" && return 1; }
}

exports() {
    . "$D/env"
    printf "export PIPELINE__GitIndex__Remote='ssh://%s@127.0.0.1:%s%s/index.git'\n" "$(id -un)" "$port" "$D"
    printf "export PIPELINE__GitIndex__SshKeyFile='%s/key' PIPELINE__GitIndex__SshKnownHosts='%s/known_hosts'\n" "$D" "$D"
}

down() {
    . "$D/env"
    stop_process "$D/sshd.pid" 5
    release_ports "$port"
}

crash() { kill_process "$D/sshd.pid"; }
