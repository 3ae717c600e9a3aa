-- The change feed is read in the order of ids, and an id is drawn long before its transaction ends. So each transaction says, before it draws
-- its first id, which were drawn already: with a lock that nobody waits for and that ends with the transaction. Ids up to the lowest number
-- that is said so are settled: whoever has one has ended.
CREATE FUNCTION change_floor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('pipeline.change_floor', TRUE) IS DISTINCT FROM pg_current_xact_id()::TEXT THEN
        PERFORM pg_advisory_xact_lock_shared((7203442::BIGINT << 40) | (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM changes_id_seq));
        PERFORM set_config('pipeline.change_floor', pg_current_xact_id()::TEXT, TRUE);
    END IF;
    RETURN NULL;
END $$;
-- Before the statement, and so before the ids of its rows are drawn.
CREATE TRIGGER change_floor BEFORE INSERT ON changes FOR EACH STATEMENT EXECUTE FUNCTION change_floor();

-- The highest id that no running transaction can still precede. What was drawn is read before who is at work: in the other order a transaction
-- that began in between would be overlooked. The caller reads the rows in a later statement, which sees all that has ended by now.
CREATE FUNCTION changes_settled() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    drawn BIGINT;
    lowest BIGINT;
BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO drawn FROM changes_id_seq;
    SELECT min(((l.classid::BIGINT & 255) << 32) | l.objid::BIGINT) INTO lowest FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::BIGINT >> 8 = 7203442
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN LEAST(drawn, lowest);
END $$;
