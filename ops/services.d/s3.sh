# An S3 server: Ceph's radosgw over one monitor and one OSD. Buckets `pipeline` (crate files and index public, the rest private) and
# `pipeline-staging` (private). In memory by default; --durable keeps it in a file and outlives a kill.
has_ceph() {
    local program
    for program in ceph-mon ceph-osd radosgw radosgw-admin ceph curl; do command -v $program >/dev/null || return 1; done
}
install() { need_server_packages "an S3 server (Ceph)" has_ceph ceph-mon ceph-osd radosgw ceph-common curl; }

answers() { curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$port/"; }
osd_is_active() { grep -q 'booting -> active' "$D/log/osd.0.log"; }

# The gateway would wait for the OSD by itself, but in steps of five seconds.
start_gateway() {
    . "$D/env"
    wait_for 60 "the OSD" osd_is_active || { tail "$D/osd.out" && return 1; }
    cd "$D"
    launch gateway.pid gateway.out radosgw -f -c ceph.conf -n client.rgw
    wait_for 120 "radosgw" answers || { tail gateway.out log/*rgw* && return 1; }
}

start_store() {
    . "$D/env"
    export CEPH_CONF=$D/ceph.conf
    cd "$D"
    rm -f log/osd.0.log
    launch monitor.pid monitor.out ceph-mon -f -c ceph.conf -i a
    wait_for 20 "the monitor" listens "$monitor" || { tail monitor.out && return 1; }
    if [ ! -e osd/0/ready ]; then
        local id
        id=$(</proc/sys/kernel/random/uuid)
        timeout 30 ceph osd new "$id" >/dev/null
        timeout 60 ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$id" >mkfs.out 2>&1 || { tail mkfs.out && return 1; }
    fi
    launch osd.pid osd.out ceph-osd -f -c ceph.conf -i 0
    start_gateway
}

# signed METHOD PATH [FILE]: a request with the owner's keys, which go in by standard input so that no process list shows them.
signed() {
    local hash
    hash=$(sha256sum "${3:-/dev/null}" | cut -d' ' -f1)
    printf 'user = "%s:%s"\n' "$access" "$secret" |
        curl -fsS -K - --aws-sigv4 aws:amz:us-east-1:s3 -X "$1" -H "x-amz-content-sha256: $hash" \
            ${3:+--data-binary "@$3" -H 'Content-Type: application/json'} "http://127.0.0.1:$port$2"
}

make_buckets() {
    signed PUT /pipeline
    signed PUT /pipeline-staging
    cat >"$D/policy.json" <<'POLICY'
{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
"Resource":["arn:aws:s3:::pipeline/crates/*","arn:aws:s3:::pipeline/index/*"]}]}
POLICY
    signed PUT '/pipeline?policy=' "$D/policy.json"
}

up() {
    local kind=memstore fsid
    if [ -e "$D/env" ]; then
        . "$D/env"
        answers 2>/dev/null || start_store
        return
    fi
    if [ -n "$durable" ]; then kind=bluestore; fi
    mkdir -p "$D"/{mon/a,osd/0,rgw,log,run}
    port=$(free_port) monitor=$(free_port) access=$(new_password) secret=$(new_password) fsid=$(</proc/sys/kernel/random/uuid)
    sed -e "s#@DIR@#$D#g; s#@FSID@#$fsid#; s#@MONITOR@#$monitor#; s#@PORT@#$port#; s#@STORE@#$kind#" "$root/ops/services.d/ceph.conf.in" >"$D/ceph.conf"
    # Without a map of its own the monitor takes the two well-known ports.
    monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor/0]" "$D/monmap" >/dev/null 2>&1
    (cd "$D" && ceph-mon -c ceph.conf --mkfs -i a --monmap monmap) >"$D/mkfs-monitor.out" 2>&1 || { cat "$D/mkfs-monitor.out" && return 1; }
    (umask 077 && printf 'port=%s monitor=%s access=%s secret=%s kind=%s\n' "$port" "$monitor" "$access" "$secret" "$kind" >"$D/env")
    start_store
    (cd "$D" && timeout 60 radosgw-admin -c ceph.conf -n client.rgw user create --uid=pipeline --display-name=pipeline --access-key="$access" --secret-key="$secret") \
        >"$D/user.json" 2>"$D/user.err" || { cat "$D/user.err" && return 1; }
    make_buckets
}

exports() {
    . "$D/env"
    printf "export PIPELINE__Store__S3__Endpoint='http://127.0.0.1:%s'\n" "$port"
    printf "export PIPELINE__Store__S3__Bucket=pipeline PIPELINE__Store__S3__StagingBucket=pipeline-staging PIPELINE__Store__S3__SurrogateKeys=true\n"
    printf "export PIPELINE__Store__S3__AccessKey='%s' PIPELINE__Store__S3__SecretKey='%s'\n" "$access" "$secret"
}

down() {
    . "$D/env"
    stop_process "$D/gateway.pid" 5
    stop_process "$D/osd.pid" 5
    stop_process "$D/monitor.pid" 5
    release_ports "$port" "$monitor"
    # What was in memory is gone, and an OSD that finds itself empty would be waited for in vain.
    if [ "$kind" = memstore ]; then rm -rf "$D"; fi
}

# Only the gateway: the objects of an instance in memory live in the OSD.
crash() { kill_process "$D/gateway.pid"; }
restart() { start_gateway; }
