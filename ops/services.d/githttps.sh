# A git remote over https: nginx with a certificate of its own authority, a password, git's own http-backend, one bare repository.
backend=/usr/lib/git-core/git-http-backend
has_git_https() { [ -x /usr/sbin/nginx ] && command -v fcgiwrap >/dev/null && command -v openssl >/dev/null && [ -x $backend ]; }
install() { need_server_packages "nginx with fcgiwrap" has_git_https nginx-light fcgiwrap openssl git; }

certify() {
    local ca=(-CA "$D/ca.pem" -CAkey "$D/ca.key" -days 30)
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=test authority' -keyout "$D/ca.key" -out "$D/ca.pem"
    openssl req -newkey rsa:2048 -nodes -subj '/CN=127.0.0.1' -keyout "$D/server.key" -out "$D/server.csr"
    openssl x509 -req -in "$D/server.csr" "${ca[@]}" -CAcreateserial -extfile <(printf 'subjectAltName=IP:127.0.0.1\n') -out "$D/server.pem"
}

up() {
    if [ -e "$D/env" ]; then
        . "$D/env"
        listens "$port" || restart
        return
    fi
    mkdir -p "$D/tmp"
    chmod 700 "$D"
    port=$(free_port) password=$(new_password)
    certify >"$D/openssl.log" 2>&1 || { cat "$D/openssl.log" && return 1; }
    git init --quiet --bare --initial-branch=master "$D/index.git"
    git --git-dir="$D/index.git" config http.receivepack true
    (umask 077 && printf 'pipeline:{PLAIN}%s\n' "$password" >"$D/passwords")
    cat >"$D/nginx.conf" <<CONFIG
$([ "$(id -u)" != 0 ] || printf 'user root;')
pid $D/nginx.own.pid;
error_log $D/log warn;
daemon off;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $D/tmp/body; proxy_temp_path $D/tmp/proxy; fastcgi_temp_path $D/tmp/fcgi; uwsgi_temp_path $D/tmp/uwsgi; scgi_temp_path $D/tmp/scgi;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $D/server.pem;
        ssl_certificate_key $D/server.key;
        client_max_body_size 0;
        auth_basic "git";
        auth_basic_user_file $D/passwords;
        location / {
            fastcgi_request_buffering on;  # fcgiwrap wants a length, which a pushed stream lacks
            fastcgi_read_timeout 300s;
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $backend;
            fastcgi_param GIT_PROJECT_ROOT $D;
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param PATH_INFO \$uri;
            fastcgi_param REMOTE_USER \$remote_user;
            fastcgi_param GIT_PROTOCOL \$http_git_protocol;
            fastcgi_param HOME $D/tmp;
            fastcgi_pass unix:$D/fcgi.sock;
        }
    }
}
CONFIG
    (umask 077 && printf 'port=%s password=%s\n' "$port" "$password" >"$D/env")
    restart
}

restart() {
    . "$D/env"
    rm -f "$D/fcgi.sock"
    launch "$D/fcgi.pid" "$D/log" fcgiwrap -f -s "unix:$D/fcgi.sock"
    launch "$D/nginx.pid" "$D/log" nginx -e "$D/log" -p "$D" -c "$D/nginx.conf"
    wait_for 30 "nginx" listens "$port" && wait_for 10 "fcgiwrap" test -S "$D/fcgi.sock" || { cat "$D/log" && return 1; }
}

exports() {
    . "$D/env"
    printf "export PIPELINE__GitIndex__Remote='https://127.0.0.1:%s/index.git' PIPELINE__GitIndex__RemoteCaFile='%s/ca.pem'\n" "$port" "$D"
    printf "export PIPELINE__GitIndex__RemoteUser='pipeline' PIPELINE__GitIndex__RemotePassword='%s'\n" "$password"
}

down() {
    . "$D/env"
    stop_process "$D/nginx.pid" 5
    stop_process "$D/fcgi.pid" 5
    release_ports "$port"
}

crash() {
    # nginx's workers end when their master is gone only after their connections: both go at once.
    local pid
    pid=$(cat "$D/nginx.pid")
    kill -KILL "$pid" $(cat "/proc/$pid/task/"*/children) 2>/dev/null || true
    while alive "$pid"; do sleep 0.02; done
    kill_process "$D/fcgi.pid"
}
