-- Runs of reconcile: the projections and the object store compared with the truth. The newest finished run says whether they agree.
CREATE TABLE reconcile_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cause TEXT NOT NULL,                     -- 'schedule' or 'operator'
    repair BOOLEAN NOT NULL,                 -- whether what is derivable is mended
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    started_at BIGINT NOT NULL,
    finished_at BIGINT,                      -- null: under way
    phase TEXT,                              -- what it compares now
    position TEXT,                           -- how far that has got: a run that is cut off goes on from here
    crates BIGINT NOT NULL DEFAULT 0,        -- compared so far
    objects BIGINT NOT NULL DEFAULT 0,       -- looked at so far, git's files included
    in_flight BIGINT NOT NULL DEFAULT 0,     -- crates that never came to rest: neither equal nor different
    differences_found BIGINT NOT NULL DEFAULT 0,
    differences_repaired BIGINT NOT NULL DEFAULT 0,
    differences_open BIGINT NOT NULL DEFAULT 0, -- found and not mended; 0 in a run that is done: clean
    error TEXT,                              -- why it failed
    attempts BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT,
    rung_at BIGINT
);
CREATE INDEX reconcile_open ON reconcile_runs (id) WHERE finished_at IS NULL;

-- What a run found, as many as it may note.
CREATE TABLE reconcile_differences (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id BIGINT NOT NULL REFERENCES reconcile_runs (id),
    kind TEXT NOT NULL,                      -- of the closed list: 'missing-in-index', 'yank-differs' …
    store TEXT NOT NULL,                     -- 'git', 'sparse', 'objects', 'records', 'staging', 'cdn/NAME'
    crate_id BIGINT,                         -- null: of no crate that the database knows
    name TEXT,
    num TEXT,
    object TEXT,                             -- the path, key or URL
    detail TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'repaired')),
    found_at BIGINT NOT NULL
);
CREATE INDEX reconcile_differences_of_run ON reconcile_differences (run_id);

-- Rebuilds of a projection from the truth.
CREATE TABLE rebuilds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                      -- 'git', 'sparse', 'search'
    crate TEXT,                              -- the canonical name of the one crate; null: all
    folder TEXT,                             -- where to; null: into place
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'swapping', 'done', 'failed')),
    user_id BIGINT,
    asked_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    mark BIGINT,                             -- what was rendered since then may be newer than what was rebuilt
    position BIGINT NOT NULL DEFAULT 0,      -- the last crate done, where a rebuild goes on after a kill
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    result TEXT,                             -- a git tree id, a sentence
    error TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT,
    rung_at BIGINT
);
CREATE INDEX rebuilds_open ON rebuilds (id) WHERE finished_at IS NULL;
