-- Who is told of changes: a URL, which changes, and how far it has been told.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,                    -- what notices are signed with
    kinds TEXT NOT NULL,                     -- JSON list of kinds of changes; empty: every kind
    crates TEXT NOT NULL,                    -- JSON list of crate patterns; empty: every crate
    created_at BIGINT NOT NULL,
    watermark BIGINT NOT NULL,               -- the last change that was told, passed over or given up
    attempts BIGINT NOT NULL DEFAULT 0,      -- tries of the notice behind the watermark, in vain
    failing BIGINT NOT NULL DEFAULT 0,       -- tries in vain since the last that succeeded, of any notice
    last_error TEXT,
    last_delivered_at BIGINT,
    next_try_at BIGINT,                      -- set after a failure
    taken_by TEXT,                           -- the process that tells it now
    taken_until BIGINT
);

-- Notices that were given up. One is sent once more when it is replayed, and forgotten when that succeeds.
CREATE TABLE notices (
    webhook_id BIGINT NOT NULL REFERENCES webhooks (id),
    change_id BIGINT NOT NULL REFERENCES changes (id),
    attempts BIGINT NOT NULL,
    last_error TEXT NOT NULL,
    given_up_at BIGINT NOT NULL,
    next_try_at BIGINT,                      -- set by a replay
    PRIMARY KEY (webhook_id, change_id)
);
CREATE INDEX notices_replayed ON notices (webhook_id, change_id) WHERE next_try_at IS NOT NULL;
