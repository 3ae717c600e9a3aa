-- One upload in flight per user, crate, version and bytes: the same PUT again joins it, also through another process.
CREATE UNIQUE INDEX publishes_in_flight ON publishes (user_id, name, num, checksum) WHERE decided_at IS NULL;
DROP INDEX publishes_joining;

-- Not unique any more: two runs of one publish that reserve at once must meet at the primary key, where the second waits for the first.
CREATE INDEX reservations_of_holder ON reservations (holder);
DROP INDEX reservations_by_holder;
