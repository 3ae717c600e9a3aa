-- The token that made a token: with it that one ends. Null: the process itself made it, or nobody remembers.
ALTER TABLE tokens ADD COLUMN made_by BIGINT;
CREATE INDEX tokens_made_by ON tokens (made_by) WHERE made_by IS NOT NULL;
