-- What a change was caused by, so that the projections that show it continue that trace and know how long it took them.
ALTER TABLE changes ADD COLUMN trace_parent TEXT;
ALTER TABLE changes ADD COLUMN accepted_at BIGINT;
-- The same for what a CDN must forget.
ALTER TABLE purges ADD COLUMN trace_parent TEXT;
