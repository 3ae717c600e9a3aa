-- The squash of the git index into one commit: asked for, under way, and what became of the last one.
ALTER TABLE git_index ADD COLUMN squash_wanted_at BIGINT;            -- null: none is to be done
ALTER TABLE git_index ADD COLUMN squash_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE git_index ADD COLUMN squash_error TEXT;
ALTER TABLE git_index ADD COLUMN squash_next_try_at BIGINT;
ALTER TABLE git_index ADD COLUMN squashed_at BIGINT;
ALTER TABLE git_index ADD COLUMN squashed_from TEXT;                 -- the commit whose history went to the branch
ALTER TABLE git_index ADD COLUMN squashed_to TEXT;
ALTER TABLE git_index ADD COLUMN squash_branch TEXT;
