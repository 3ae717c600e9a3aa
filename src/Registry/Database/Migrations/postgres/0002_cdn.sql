-- Purges: whom they are about, what is on its way, and how it ended.
ALTER TABLE purges ADD COLUMN crate_id BIGINT;                       -- null: about no crate
ALTER TABLE purges ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;  -- lag counts from here: due_at moves with every try
ALTER TABLE purges ADD COLUMN again BOOLEAN NOT NULL DEFAULT FALSE;  -- the second purge of a key, after the origin's time-out
ALTER TABLE purges ADD COLUMN taken_at BIGINT;                       -- set: on its way; what changes now needs a row of its own
ALTER TABLE purges ADD COLUMN taken_by TEXT;                         -- the process that sends it
ALTER TABLE purges ADD COLUMN outcome TEXT;                          -- 'verified': seen through the only cache there is; else 'accepted'
CREATE INDEX purges_open ON purges (value) WHERE confirmed_at IS NULL;
CREATE INDEX purges_taken ON purges (taken_by, taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX purges_of_crate ON purges (crate_id) WHERE confirmed_at IS NULL;
CREATE INDEX purges_done ON purges (confirmed_at) WHERE confirmed_at IS NOT NULL;

-- A target that fails is left alone until its next try, by every process.
CREATE TABLE cdn_targets (
    name TEXT PRIMARY KEY,
    attempts BIGINT NOT NULL,                -- in a row, without success
    last_error TEXT NOT NULL,
    next_try_at BIGINT NOT NULL
);

-- What was last served under a URL whose content no crate's revision tells of, such as the index's config.json.
CREATE TABLE served_files (
    path TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL
);
