\set ON_ERROR_STOP on
BEGIN;

-- Loses nothing: id_old is computed again; the down before fills it.
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
                WHERE relation = 'orders'::regclass AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

ALTER TABLE orders ADD COLUMN id_old int;

CREATE FUNCTION orders_id_old_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    NEW.id_old := CASE WHEN NEW.id BETWEEN -2147483648 AND 2147483647 THEN CAST(NEW.id AS int) END;
    RETURN NEW;
END
$sync$;

-- Batches of its own backfill compute the same, and go without it.
CREATE TRIGGER orders_id_old_sync BEFORE INSERT OR UPDATE ON orders
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'orders_id_old_sync')
EXECUTE FUNCTION orders_id_old_sync();

COMMIT;
