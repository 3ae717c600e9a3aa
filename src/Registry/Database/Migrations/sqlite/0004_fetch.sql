-- Fetching the files of mirrored crates.
ALTER TABLE upstream_files ADD COLUMN turn BIGINT NOT NULL DEFAULT 0; -- the highest is fetched first: what somebody asked for, then the newest
ALTER TABLE upstream_files ADD COLUMN taken_by TEXT;                 -- the process that is at it
ALTER TABLE upstream_files ADD COLUMN taken_until BIGINT;
ALTER TABLE upstream_files ADD COLUMN metadata TEXT;                 -- what its manifest says, as JSON; null: not read
CREATE UNIQUE INDEX upstream_files_by_key ON upstream_files (object_key) WHERE object_key IS NOT NULL;
CREATE INDEX upstream_files_in_turn ON upstream_files (turn) WHERE state = 'wanted';
CREATE INDEX upstream_files_by_use ON upstream_files (used_at, size) WHERE state = 'kept';

-- Which index file of a crate the files of a full mirror were listed from; another one than it has: to be listed.
ALTER TABLE crates ADD COLUMN files_blob TEXT;
CREATE INDEX crates_to_list ON crates (source) WHERE upstream_blob IS NOT NULL AND (files_blob IS NULL OR files_blob <> upstream_blob);

-- The rank of the version that a mirrored crate's description is of.
ALTER TABLE crates ADD COLUMN metadata_rank BLOB;
