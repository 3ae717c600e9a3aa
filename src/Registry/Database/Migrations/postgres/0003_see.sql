-- What became of a failure, and when it was replayed.
ALTER TABLE failures ADD COLUMN next_try_at BIGINT;   -- when its row is tried next; beyond all time: when it is replayed; null: at the next sweep
ALTER TABLE failures ADD COLUMN replayed_at BIGINT;   -- when it was replayed last
UPDATE failures SET next_try_at = 2305843009213693951 WHERE resolved_at IS NULL AND kind = 'fault' AND stage IN ('validate-tarball', 'read-manifest', 'render-sparse');
CREATE INDEX failures_of_key ON failures (key, stage);
CREATE INDEX failures_resolved ON failures (resolved_at) WHERE resolved_at IS NOT NULL;

-- A deletion of bytes that failed is put off like every other row.
ALTER TABLE deletions ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deletions ADD COLUMN last_error TEXT;
ALTER TABLE deletions ADD COLUMN next_try_at BIGINT;

-- When each index showed a change: the projection's own row knows it of the newest revision only.
ALTER TABLE changes ADD COLUMN git_at BIGINT;
ALTER TABLE changes ADD COLUMN sparse_at BIGINT;

-- Publishes that were given up, which are few among many.
CREATE INDEX publishes_expired ON publishes (id) WHERE verdict_code = 'expired';

-- A token that ended long ago: its hash is gone, its row stays as what publishes and the audit name.
ALTER TABLE tokens ADD COLUMN forgotten_at BIGINT;
CREATE INDEX tokens_expiring ON tokens (expires_at) WHERE expires_at IS NOT NULL AND forgotten_at IS NULL;
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at IS NOT NULL AND forgotten_at IS NULL;

-- What each living process does in each stage, as of its last sign of life.
CREATE TABLE process_stages (
    process TEXT NOT NULL,
    stage TEXT NOT NULL,
    running BIGINT NOT NULL,                 -- bells that are worked on
    done_per_minute BIGINT NOT NULL,         -- rows moved in the last sixty seconds
    PRIMARY KEY (process, stage)
);
