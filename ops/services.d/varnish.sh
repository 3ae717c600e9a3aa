# Varnish with purge by key (xkey), in front of --origin or, without one, of the object store's served bucket.
has_varnish() {
    command -v varnishd >/dev/null && ls /usr/lib/*/varnish/vmods/libvmod_xkey.so >/dev/null 2>&1
}
install() { need_server_packages "Varnish with xkey" has_varnish varnish varnish-modules; }

up() {
    local prefix=''
    if [ -e "$D/env" ]; then
        . "$D/env"
        listens "$port" || restart
        return
    fi
    if [ -z "$origin" ] && [ -e "$dir/s3/env" ]; then
        origin=127.0.0.1:$(. "$dir/s3/env" && printf '%s' "$port")
        prefix=/pipeline
    fi
    [ -n "$origin" ] || fail "varnish needs something to stand in front of: --origin HOST:PORT, or start s3 too"
    mkdir -p "$D/work"
    chmod 755 "$D" "$D/work"
    port=$(free_port) admin=$(free_port) token=$(new_password)
    sed -e "s#@HOST@#${origin%:*}#; s#@PORT@#${origin##*:}#; s#@TOKEN@#$token#; s#@PREFIX@#$prefix#" "$root/ops/services.d/varnish.vcl.in" >"$D/varnish.vcl"
    (umask 077 && new_password >"$D/secret")
    (umask 077 && printf 'port=%s admin=%s token=%s\n' "$port" "$admin" "$token" >"$D/env")
    restart
}

restart() {
    . "$D/env"
    launch "$D/varnish.pid" "$D/log" varnishd -F -j none -n "$D/work" -a "127.0.0.1:$port" -T "127.0.0.1:$admin" -S "$D/secret" -f "$D/varnish.vcl" \
        -s malloc,128m -p thread_pools=2 -p thread_pool_min=20 -p thread_pool_max=500 -p vsl_space=16M -p default_ttl=60 -p default_keep=0
    wait_for 30 "Varnish" listens "$port" || { cat "$D/log" && return 1; }
}

exports() {
    . "$D/env"
    printf "export PIPELINE__Cdn__Targets__0__Name=varnish PIPELINE__Cdn__Targets__0__Kind=purge\n"
    printf "export PIPELINE__Cdn__Targets__0__IndexUrls__0='http://127.0.0.1:%s/index/' PIPELINE__Cdn__Targets__0__FileUrls__0='http://127.0.0.1:%s/crates/'\n" "$port" "$port"
    printf "export PIPELINE__Cdn__Targets__0__Token='%s' PIPELINE__Cdn__Targets__0__Verify=true\n" "$token"
}

down() {
    . "$D/env"
    stop_process "$D/varnish.pid" 5
    release_ports "$port" "$admin"
}

crash() { kill_process "$D/varnish.pid"; }
