-- Incidents: from when an upstream could not be followed until it was again. Each is told once, at its beginning and at its end.
CREATE TABLE upstream_incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    upstream TEXT NOT NULL REFERENCES upstreams (name),
    reason TEXT NOT NULL CHECK (reason IN ('failing', 'stale')),
    text TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE UNIQUE INDEX upstream_incidents_open ON upstream_incidents (upstream) WHERE closed_at IS NULL;

-- Mails to operators, each sent to all of them at once.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,      -- in vain
    last_error TEXT,
    next_try_at BIGINT,                      -- set after a failure
    rung_at BIGINT
);
CREATE INDEX mails_waiting ON mails (id) WHERE sent_at IS NULL;
