-- Which of the crates of one name is served. Versions come from one source, so of one name one row is, at most.
ALTER TABLE crates ADD COLUMN served BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE crates ADD COLUMN place_id BIGINT;                       -- the first row of the name: the name's projections, and its revisions, are that row's; null: this one
ALTER TABLE crates ADD COLUMN upstream_gone_at BIGINT;               -- when the upstream was first seen without it
CREATE UNIQUE INDEX crates_served ON crates (namespace, canonical) WHERE served;
CREATE INDEX crates_of_place ON crates (place_id) WHERE place_id IS NOT NULL;

-- What is followed, how, and when next. How far that has got is the newest sync that is done.
ALTER TABLE upstreams ADD COLUMN collisions TEXT NOT NULL DEFAULT 'local-wins'; -- or 'upstream-wins', 'refuse'
ALTER TABLE upstreams ADD COLUMN removals TEXT NOT NULL DEFAULT 'remove'; -- or 'keep': what becomes of a crate that the upstream lost
ALTER TABLE upstreams ADD COLUMN allow_only BOOLEAN NOT NULL DEFAULT FALSE; -- only the names of upstream_allowed
ALTER TABLE upstreams ADD COLUMN allow_revision BIGINT NOT NULL DEFAULT 0; -- counts changes of that list
ALTER TABLE upstreams ADD COLUMN config TEXT;                        -- its config.json as last read
ALTER TABLE upstreams ADD COLUMN accept_removals BOOLEAN NOT NULL DEFAULT FALSE; -- an operator lets the next sync take away as many crates as it says
ALTER TABLE upstreams ADD COLUMN place BIGINT NOT NULL DEFAULT 0;    -- of two upstreams with one name the lower is served
ALTER TABLE upstreams ADD COLUMN checked_at BIGINT;                  -- the last sync that ended well
ALTER TABLE upstreams ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0; -- in vain since then
ALTER TABLE upstreams ADD COLUMN last_error TEXT;
ALTER TABLE upstreams ADD COLUMN next_try_at BIGINT;                 -- the next sync; null: at once
ALTER TABLE upstreams ADD COLUMN rung_at BIGINT;
ALTER TABLE upstreams ADD COLUMN removed_at BIGINT;                  -- no longer followed; the row stays, crates name it as their source

-- The names that a mirror of a part follows.
CREATE TABLE upstream_allowed (
    upstream TEXT NOT NULL REFERENCES upstreams (name),
    canonical TEXT NOT NULL,
    name TEXT NOT NULL,
    etag TEXT,                               -- of the sparse file as last taken
    modified TEXT,                           -- its Last-Modified
    PRIMARY KEY (upstream, canonical)
);

-- Syncs: from one state of an upstream to another. The newest that is done is the watermark.
CREATE TABLE upstream_syncs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    upstream TEXT NOT NULL REFERENCES upstreams (name),
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'given-up')),
    from_commit TEXT,                        -- null: from nothing, or compared as a whole
    to_commit TEXT,                          -- null: a sparse index, which has none
    allow_revision BIGINT NOT NULL,
    position TEXT NOT NULL DEFAULT '',       -- the last path whose batch is committed: an interrupted sync goes on behind it
    total BIGINT NOT NULL DEFAULT 0,         -- paths to look at
    added BIGINT NOT NULL DEFAULT 0,
    changed BIGINT NOT NULL DEFAULT 0,
    removed BIGINT NOT NULL DEFAULT 0,
    equal BIGINT NOT NULL DEFAULT 0,
    bad BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX upstream_syncs_newest ON upstream_syncs (upstream, id);

-- Index files of an upstream that could not be taken. The sync goes on without them; each is tried again by itself.
CREATE TABLE upstream_items (
    upstream TEXT NOT NULL REFERENCES upstreams (name),
    path TEXT NOT NULL,
    blob TEXT,
    code TEXT NOT NULL,
    text TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,
    PRIMARY KEY (upstream, path)
);

-- Files of mirrored crates: one row per file that an index line names, once it is wanted here.
CREATE TABLE upstream_files (
    crate_id BIGINT NOT NULL REFERENCES crates (id),
    num TEXT NOT NULL,                       -- `vers` as the line has it
    checksum TEXT NOT NULL,                  -- `cksum` as the line has it: other bytes are never kept under it
    state TEXT NOT NULL CHECK (state IN ('wanted', 'kept', 'evicted', 'refused')),
    object_key TEXT,                         -- where the bytes are; never recomputed
    size BIGINT,
    wanted_at BIGINT NOT NULL,
    kept_at BIGINT,
    used_at BIGINT,                          -- the last download, as exact as eviction needs it
    attempts BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    next_try_at BIGINT,
    rung_at BIGINT,
    PRIMARY KEY (crate_id, num, checksum)
);
CREATE INDEX upstream_files_wanted ON upstream_files (wanted_at) WHERE state = 'wanted';
CREATE INDEX upstream_files_kept ON upstream_files (used_at) WHERE state = 'kept';

-- Names that are local whatever an upstream has.
CREATE TABLE local_names (
    namespace TEXT NOT NULL DEFAULT '',
    canonical TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT,
    user_id BIGINT,
    reserved_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, canonical)
);
