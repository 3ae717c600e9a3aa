-- The bytes of small uploads, parked in the commit of their publish's row until their files are durable.
CREATE TABLE staged_bodies (
    publish_id TEXT PRIMARY KEY,
    body BYTEA NOT NULL
);
-- A .crate is compressed already.
ALTER TABLE staged_bodies ALTER COLUMN body SET STORAGE EXTERNAL;
