\set ON_ERROR_STOP on
BEGIN;

DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'orders'::regclass AND attname = 'id'
            AND NOT attisdropped
            AND atttypid = 'int'::regtype AND atttypmod = -1 AND attnotnull
    ) THEN
        RAISE EXCEPTION
            'orders.id is not int NOT NULL: plan this change again';
    END IF;
END
$guard$;

-- Waiting and reading may take longer than the application's queries may.
SET LOCAL statement_timeout = 0;

-- Reads the whole table once; locks nothing.
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    SELECT count(*) INTO v_rows
    FROM orders
    WHERE id IS DISTINCT FROM CAST(CAST(id AS bigint) AS int);
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of orders hold what bigint cannot give back: mend them first, or say USING and a `back` hint', v_rows;
    END IF;
END
$guard$;

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

ALTER TABLE orders
    ADD COLUMN id_new bigint,
    ADD CONSTRAINT orders_id_new_required CHECK (id_new IS NOT NULL) NOT VALID;

CREATE FUNCTION orders_id_new_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    NEW.id_new := CAST(NEW.id AS bigint);
    RETURN NEW;
END
$sync$;

-- Batches of its own backfill compute the same, and go without it.
CREATE TRIGGER orders_id_new_sync BEFORE INSERT OR UPDATE ON orders
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'orders_id_new_sync')
EXECUTE FUNCTION orders_id_new_sync();

-- A trigger's body is checked when it first runs: let that be here, on one row.
UPDATE orders SET id = id
WHERE id = (SELECT id FROM orders ORDER BY id LIMIT 1);

COMMIT;
