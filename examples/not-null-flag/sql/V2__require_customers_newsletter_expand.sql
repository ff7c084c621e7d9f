-- Waiting and reading may take longer than the application's queries may.
SET LOCAL statement_timeout = 0;

-- All queries queue behind whoever waits for this lock: so tries of 200 ms, not one long
-- wait. Every fifth is 2 s if a vacuum is at work: autovacuum yields after 1 s.
DO $lock$
BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE relation = 'customers'::regclass AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE customers IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'customers was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

CREATE FUNCTION customers_newsletter_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    IF NEW.newsletter IS NULL THEN
        NEW.newsletter := false;
    END IF;
    RETURN NEW;
END
$sync$;

-- Batches of its own backfill compute the same, and go without it.
CREATE TRIGGER customers_newsletter_sync BEFORE INSERT OR UPDATE ON customers
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'customers_newsletter_sync')
EXECUTE FUNCTION customers_newsletter_sync();

ALTER TABLE customers ADD CONSTRAINT customers_newsletter_required CHECK (newsletter IS NOT NULL) NOT VALID;
ALTER TABLE customers ALTER COLUMN newsletter SET DEFAULT false;

-- A trigger's body is checked when it first runs: let that be here, on one row.
UPDATE customers SET newsletter = newsletter
WHERE id = (SELECT id FROM customers ORDER BY id LIMIT 1);
