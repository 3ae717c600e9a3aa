-- The git index as a whole: one row.
CREATE TABLE git_index (
    target TEXT PRIMARY KEY,
    tip TEXT,                                -- the commit that the projections' rows speak of, last confirmed by the remote; null: no remote yet
    attempts BIGINT NOT NULL DEFAULT 0,      -- in vain, since git or its remote last did what was asked
    last_error TEXT,
    next_try_at BIGINT                       -- set after such a failure
);
INSERT INTO git_index (target) VALUES ('');
