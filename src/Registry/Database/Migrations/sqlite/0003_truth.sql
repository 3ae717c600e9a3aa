-- Why the registry takes no writes, and since when; null: it does.
ALTER TABLE registry ADD COLUMN read_only_reason TEXT;
ALTER TABLE registry ADD COLUMN read_only_since BIGINT;

-- What no version's record tells (owners, yanks, deletions) has its own records in the store: crates that were changed so before want one.
INSERT INTO projections (crate_id, kind, target, wanted, first_change)
SELECT c.id, 'record', '', c.revision, MIN(h.id) FROM crates c JOIN changes h ON h.crate_id = c.id WHERE h.kind <> 'publish' GROUP BY c.id, c.revision;
