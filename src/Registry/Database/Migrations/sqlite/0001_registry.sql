-- The registry's truth. Times are UTC microseconds; bytes are blobs; booleans are 0 or 1.
-- The same tables, columns and constraints as postgres/0001_registry.sql: a test compares them.

-- One row: the registry itself. A restored database starts a new epoch; cursors of the change feed carry it.
CREATE TABLE registry (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    read_only BOOLEAN NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

-- Accounts. The id must fit u32: cargo reads it so.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id <= 4294967295),
    login TEXT NOT NULL,
    login_key TEXT NOT NULL UNIQUE,          -- lower case: logins compare so
    name TEXT,
    email TEXT,                              -- verified; null means no verified address
    is_admin BOOLEAN NOT NULL DEFAULT 0,
    lock_reason TEXT,                        -- set: the account is locked
    locked_until BIGINT,                     -- null with a reason: without end
    created_at BIGINT NOT NULL
);

-- API tokens, as SHA-256 of the whole plaintext; the plaintext is shown once and kept nowhere.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    endpoint_scopes TEXT,                    -- JSON list; null: every endpoint
    crate_scopes TEXT,                       -- JSON list of patterns; null: every crate
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_of_user ON tokens (user_id);

-- Token buckets of the rate limits, one per user and action.
CREATE TABLE rate_buckets (
    user_id BIGINT NOT NULL REFERENCES users (id),
    action TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    last_refill BIGINT NOT NULL,
    PRIMARY KEY (user_id, action)
);

-- A burst granted to one user in place of the configured one.
CREATE TABLE rate_overrides (
    user_id BIGINT NOT NULL REFERENCES users (id),
    action TEXT NOT NULL,
    burst BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (user_id, action)
);

-- Crates. Rows are never removed: deletion is a state that bumps the revision.
CREATE TABLE crates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT 'local',    -- 'local' or the name of an upstream: versions come from one source
    canonical TEXT NOT NULL,                 -- lower case, '-' as '_'
    name TEXT NOT NULL,                      -- as first published
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    revision BIGINT NOT NULL,                -- counts every change a projection can show
    description TEXT,
    homepage TEXT,
    documentation TEXT,
    repository TEXT,
    keywords TEXT NOT NULL DEFAULT '[]',     -- JSON list, of the newest publish
    categories TEXT NOT NULL DEFAULT '[]',   -- JSON list, of the newest publish
    num_versions BIGINT NOT NULL DEFAULT 0,
    default_version TEXT,                    -- the version shown when none is named (crates-io-behaviour §7.2)
    default_rank BLOB,                       -- its rank, so that a publish compares without reading all versions
    last_published_at BIGINT NOT NULL,       -- publication times of a crate strictly increase
    max_upload_size BIGINT,                  -- per-crate limit, null: the configured one
    max_features BIGINT,
    reuse_numbers BOOLEAN NOT NULL DEFAULT 0, -- an operator allowed other bytes for freed numbers
    upstream_blob TEXT,                      -- the git blob id of a mirrored crate's file
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    available_at BIGINT,                     -- when the name of a deleted crate may be used again
    -- Long values stand last: SQLite reads a row from its start, and lists need only what comes before.
    readme TEXT,
    upstream_file BLOB,                      -- a mirrored crate's truth: its upstream index file
    UNIQUE (namespace, source, canonical)
);
CREATE INDEX crates_by_name ON crates (name);

-- Versions. Immutable but for the yank and the deletion; rows are never removed.
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    num TEXT NOT NULL CHECK (length(num) <= 150),
    num_no_build TEXT NOT NULL,
    sort_key BLOB NOT NULL,                  -- bytes that sort by semver precedence
    prerelease BOOLEAN NOT NULL,
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    freed BOOLEAN NOT NULL DEFAULT 0,        -- deleted and its number given back by an operator
    yanked BOOLEAN NOT NULL DEFAULT 0,
    yank_message TEXT,
    checksum TEXT NOT NULL,                  -- SHA-256 of the .crate, lower-case hex
    size BIGINT NOT NULL,                    -- bytes of the .crate
    object_key TEXT NOT NULL,                -- where the bytes are; never recomputed
    entry_head TEXT NOT NULL,                -- the index line up to the value of "yanked"
    entry_tail TEXT NOT NULL,                -- and from behind it
    dependencies TEXT NOT NULL,              -- JSON list, as the API shows them
    features TEXT NOT NULL,                  -- JSON object
    license TEXT,
    links TEXT,
    rust_version TEXT,
    edition TEXT,
    has_lib BOOLEAN NOT NULL,
    lib_name TEXT,
    bin_names TEXT NOT NULL,                 -- JSON list
    description TEXT,
    homepage TEXT,
    documentation TEXT,
    repository TEXT,
    readme_path TEXT,
    keywords TEXT NOT NULL DEFAULT '[]',
    categories TEXT NOT NULL DEFAULT '[]',
    published_by BIGINT REFERENCES users (id),
    publish_id TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    readme TEXT                              -- the source text that came with this version
);
CREATE UNIQUE INDEX versions_taken ON versions (crate_id, num_no_build) WHERE NOT freed;
CREATE INDEX versions_in_order ON versions (crate_id, published_at);
CREATE INDEX versions_by_object ON versions (object_key);
-- The highest version in force, without reading them all: a publish of the 2,000th version costs what the first did.
CREATE INDEX versions_in_force ON versions (crate_id, sort_key) WHERE state = 'active' AND NOT yanked;

-- Which crate names a version depends on: for reverse dependencies and the rule that guards deletion.
CREATE TABLE dependencies (
    version_id BIGINT NOT NULL REFERENCES versions (id),
    name TEXT NOT NULL,
    PRIMARY KEY (version_id, name)
);
CREATE INDEX dependencies_by_name ON dependencies (name);

-- Who may publish, yank and change owners.
CREATE TABLE owners (
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    added_by BIGINT REFERENCES users (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (crate_id, user_id)
);
CREATE INDEX owners_by_user ON owners (user_id);

-- Names nobody may publish, beyond the built-in list.
CREATE TABLE reserved_names (
    namespace TEXT NOT NULL DEFAULT '',
    canonical TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (namespace, canonical)
);

-- Accepted publish requests: the intent, then the verdict.
CREATE TABLE publishes (
    id TEXT PRIMARY KEY,                     -- UUIDv7
    namespace TEXT NOT NULL DEFAULT '',
    canonical TEXT NOT NULL,
    name TEXT NOT NULL,
    num TEXT NOT NULL,                       -- normalised version
    num_no_build TEXT NOT NULL,
    checksum TEXT NOT NULL,
    size BIGINT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    token_id BIGINT REFERENCES tokens (id),
    claims TEXT NOT NULL,                    -- JSON: what the pipeline needs of the publish JSON
    staging_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('parked', 'checked', 'accepted', 'rejected')),
    facts TEXT,                              -- JSON: what the tarball stage found
    waits_for TEXT,                          -- the publish that holds the version's reservation
    attempts BIGINT NOT NULL DEFAULT 0,      -- of the stage it waits for
    last_error TEXT,
    next_try_at BIGINT,                      -- set after a transient failure
    rung_at BIGINT,                          -- when its bell was rung last; null: never
    received_at BIGINT NOT NULL,
    parked_at BIGINT NOT NULL,
    tarball_started_at BIGINT,
    tarball_done_at BIGINT,
    manifest_started_at BIGINT,
    decided_at BIGINT,
    deadline_at BIGINT NOT NULL,             -- undecided by then: rejected as expired
    verdict_code TEXT,
    verdict_status BIGINT,
    verdict_text TEXT,
    version_id BIGINT REFERENCES versions (id),
    crate_id BIGINT REFERENCES crates (id),
    revision BIGINT,                         -- the crate's revision that carries the version
    trace_parent TEXT                        -- W3C trace context of the PUT
);
-- The sweep's view: undecided, oldest first. The predicate keeps it as small as the backlog.
CREATE INDEX publishes_waiting ON publishes (state, id) WHERE decided_at IS NULL;
CREATE INDEX publishes_joining ON publishes (canonical, num_no_build, checksum) WHERE decided_at IS NULL;
CREATE INDEX publishes_queued ON publishes (waits_for) WHERE waits_for IS NOT NULL;

-- Invisible reservations: who may write a version's bytes and row right now.
CREATE TABLE reservations (
    namespace TEXT NOT NULL,
    source TEXT NOT NULL,
    canonical TEXT NOT NULL,
    num_no_build TEXT NOT NULL,
    holder TEXT NOT NULL,                    -- a publish id, or 'delete:' and a deletion id
    checksum TEXT,
    fence BIGINT NOT NULL,                   -- grows at each take-over: an older holder's record fails
    reserved_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, source, canonical, num_no_build)
);
CREATE UNIQUE INDEX reservations_by_holder ON reservations (holder);

-- How far each projection of each crate has got.
CREATE TABLE projections (
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    kind TEXT NOT NULL,                      -- 'git', 'sparse', …
    target TEXT NOT NULL DEFAULT '',         -- which instance of the kind
    wanted BIGINT NOT NULL,                  -- the crate's revision
    reached BIGINT NOT NULL DEFAULT 0,       -- the revision the projection shows for certain
    reached_at BIGINT,
    claimed BIGINT NOT NULL DEFAULT 0,       -- the highest revision any renderer ever claimed
    path TEXT,                               -- where it was rendered last, to remove it if the spelling changes
    first_change BIGINT NOT NULL,            -- the oldest change it lacks: renderers go in that order
    behind_since BIGINT,                     -- when it began to lag
    attempts BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    next_try_at BIGINT,
    rung_at BIGINT,
    PRIMARY KEY (crate_id, kind, target)
);
CREATE INDEX projections_behind ON projections (kind, target, first_change) WHERE reached < wanted;

-- Claims of renderers at work. One left open by a dead process is rendered again.
CREATE TABLE claims (
    id TEXT PRIMARY KEY,
    crate_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    revision BIGINT NOT NULL,
    process TEXT NOT NULL,
    claimed_at BIGINT NOT NULL
);
CREATE INDEX claims_of_projection ON claims (crate_id, kind, target);

-- Processes and when each was last alive.
CREATE TABLE processes (
    id TEXT PRIMARY KEY,
    roles TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Leases, such as the git writer's.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    process TEXT NOT NULL,
    fence BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- Everything that changed a crate, in order.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,                      -- 'publish', 'yank', 'unyank', 'delete', 'owners', …
    crate_id BIGINT REFERENCES crates (id),
    revision BIGINT,
    name TEXT,
    num TEXT,
    data TEXT                                -- JSON, by kind
);
CREATE INDEX changes_of_crate ON changes (crate_id, id);

-- Who did what.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    user_id BIGINT,
    token_id BIGINT,
    crate_id BIGINT,
    version_id BIGINT,
    detail TEXT
);
CREATE INDEX audit_of_version ON audit (version_id);

-- What a CDN must forget.
CREATE TABLE purges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('url', 'key')),
    value TEXT NOT NULL,
    cause TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    rung_at BIGINT,
    confirmed_at BIGINT
);
CREATE INDEX purges_due ON purges (target, due_at) WHERE confirmed_at IS NULL;

-- Bytes to delete once every serving projection has passed the revision that stopped naming them.
CREATE TABLE deletions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    version_id BIGINT NOT NULL REFERENCES versions (id),
    revision BIGINT NOT NULL,
    object_key TEXT NOT NULL,
    rung_at BIGINT,
    done_at BIGINT
);
CREATE INDEX deletions_open ON deletions (crate_id) WHERE done_at IS NULL;

-- Failures, one row per stage, key and code, until they are resolved.
CREATE TABLE failures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stage TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('reject', 'transient', 'fault')),
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    trace_id TEXT,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    count BIGINT NOT NULL DEFAULT 1,
    resolved_at BIGINT
);
CREATE UNIQUE INDEX failures_open ON failures (stage, key, code) WHERE resolved_at IS NULL;

-- Upstreams that a mirror follows.
CREATE TABLE upstreams (
    name TEXT PRIMARY KEY,
    index_url TEXT NOT NULL,
    dl_url TEXT,
    mode TEXT NOT NULL,
    every_us BIGINT NOT NULL,
    watermark TEXT,
    added_at BIGINT NOT NULL
);
