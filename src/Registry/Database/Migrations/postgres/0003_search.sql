-- The search projection: what a search looks at, one narrow row a crate. API processes hold it in memory.
CREATE TABLE search (
    crate_id BIGINT PRIMARY KEY REFERENCES crates (id),
    canonical TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    keywords TEXT NOT NULL,                  -- JSON list
    categories TEXT NOT NULL,                -- JSON list
    is_shown BOOLEAN NOT NULL,               -- false: the crate is deleted; the row says so to who holds it in memory
    in_force BOOLEAN NOT NULL,               -- whether the crate has a version that is not yanked
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    position BIGINT NOT NULL                 -- grows with each batch of writes: who holds the table fetches what lies behind the position it knows
);
CREATE INDEX search_by_position ON search (position);

-- How far it has got: one row.
CREATE TABLE search_progress (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    watermark BIGINT NOT NULL,               -- the last change that it shows
    position BIGINT NOT NULL,                -- of the last batch of writes
    generation BIGINT NOT NULL               -- grows when rows are taken away: who holds the table fetches it whole
);
INSERT INTO search_progress (id, watermark, position, generation) VALUES (1, 0, 0, 0);
