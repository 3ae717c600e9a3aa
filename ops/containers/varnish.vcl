vcl 4.1;
# In front of both api processes: caches the index and crate files, passes everything else. The registry's purge worker tells it what to forget.
import directors;
import std;

backend api1 { .host = "api-1"; .port = "7878"; .connect_timeout = 2s; .first_byte_timeout = 60s; .probe = { .url = "/healthz"; .interval = 2s; } }
backend api2 { .host = "api-2"; .port = "7878"; .connect_timeout = 2s; .first_byte_timeout = 60s; .probe = { .url = "/healthz"; .interval = 2s; } }

sub vcl_init {
    new api = directors.round_robin();
    api.add_backend(api1);
    api.add_backend(api2);
}

sub vcl_recv {
    set req.backend_hint = api.backend();
    unset req.http.Cookie;
    # What a scraper inside asks each process itself.
    if (req.url == "/metrics") {
        return (synth(404));
    }
    if (req.method == "PURGE") {
        if (!req.http.X-Purge-Token || req.http.X-Purge-Token != std.getenv("PURGE_TOKEN")) {
            return (synth(403));
        }
        return (purge);
    }
    # A publish may stay open for minutes; git and everything that carries a token is nobody else's.
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization || req.url !~ "^/(index|crates)/") {
        return (pass);
    }
    return (hash);
}

sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_response {
    if (beresp.status >= 500) {
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
    } elsif (beresp.status == 404) {
        set beresp.ttl = 10s;
    }
    set beresp.grace = 10m;
}
