-- What a statement reads must not grow with the registry: an index for each that had none. Where a count or a list is of the few among many,
-- the index holds just these, and costs a publish nothing.

-- All crates of one name, whatever their source. The name stands first: every crate has the same namespace.
CREATE INDEX crates_by_canonical ON crates (canonical, namespace);
-- What is not shown, so that what is can be counted as the rest.
CREATE INDEX crates_not_shown ON crates (namespace, source) WHERE state = 'deleted' OR NOT served;
CREATE INDEX versions_deleted ON versions (crate_id) WHERE state = 'deleted';
-- Crates that their upstream lost and that are kept.
CREATE INDEX crates_gone ON crates (namespace, source) WHERE upstream_gone_at IS NOT NULL AND state = 'active';

-- The sync under way and the newest that is done: every sync of an upstream has a row.
CREATE INDEX upstream_syncs_by_state ON upstream_syncs (upstream, state, id);
DROP INDEX upstream_syncs_newest;

-- Open failures in the order of their list, and open deletions in the order of the sweep, whatever is over.
CREATE INDEX failures_waiting ON failures (id) WHERE resolved_at IS NULL;
CREATE INDEX deletions_waiting ON deletions (id) WHERE done_at IS NULL;
CREATE INDEX deletions_of_version ON deletions (version_id) WHERE done_at IS NULL;

-- Purges about a crate, the confirmed ones too, since a publish is told when the last of them was.
CREATE INDEX purges_about ON purges (crate_id, confirmed_at) WHERE crate_id IS NOT NULL;
DROP INDEX purges_of_crate;

-- Files whose eviction has not ended, and those that could not be had.
CREATE INDEX upstream_files_leaving ON upstream_files (object_key) WHERE state = 'evicted' AND size IS NOT NULL;
CREATE INDEX upstream_files_troubled ON upstream_files (crate_id) WHERE state IN ('wanted', 'refused') AND last_error IS NOT NULL;
-- Kept files by their last use, with all that the sum of their sizes reads.
CREATE INDEX upstream_files_by_age ON upstream_files (used_at, size, state) WHERE state = 'kept';
DROP INDEX upstream_files_kept;
DROP INDEX upstream_files_by_use;
