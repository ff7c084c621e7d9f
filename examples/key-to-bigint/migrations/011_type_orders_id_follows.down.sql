\set ON_ERROR_STOP on
-- Part of the way back: from here on id_old must hold what is written.
SET lock_timeout = 0;
SET statement_timeout = 0;

-- Reads the whole table once; locks nothing.
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    SELECT count(*) INTO v_rows
    FROM orders
    WHERE id_old IS NULL AND id IS NOT NULL;
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of orders hold what int cannot give back: mend them first, or say USING and a `back` hint', v_rows;
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
            ALTER TABLE orders
                DROP CONSTRAINT IF EXISTS orders_id_old_required,
                ADD CONSTRAINT orders_id_old_required CHECK (id_old IS NOT NULL) NOT VALID;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

-- Reads the table with writers at work.
ALTER TABLE orders VALIDATE CONSTRAINT orders_id_old_required;

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
            ALTER TABLE orders ALTER COLUMN id_old SET NOT NULL;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

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
            ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_id_old_required;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

-- A build that was cut off left an invalid index: so it is dropped first.
DO $invalid$
BEGIN
    IF EXISTS (
        SELECT FROM pg_index WHERE indexrelid = to_regclass('orders_pkey_old') AND NOT indisvalid
    ) THEN
        PERFORM set_config('lock_timeout', '2s', true);
        DROP INDEX orders_pkey_old;
    END IF;
END
$invalid$;

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_pkey_old ON orders (id_old);

-- Reads the whole table once; locks nothing.
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    SELECT count(*) INTO v_rows
    FROM order_lines
    WHERE order_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM orders AS parent
        WHERE parent.id_old = order_lines.order_id
    );
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of order_lines point at no row of orders: mend them first', v_rows;
    END IF;
END
$guard$;

DO $lock$
BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE relation IN ('order_lines'::regclass, 'orders'::regclass) AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE order_lines, orders IN ACCESS EXCLUSIVE MODE;
            ALTER TABLE order_lines
                DROP CONSTRAINT IF EXISTS order_lines_order_id_fkey_old,
                ADD CONSTRAINT order_lines_order_id_fkey_old FOREIGN KEY (order_id) REFERENCES orders (id_old) ON DELETE CASCADE NOT VALID;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'order_lines or orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

-- Reads the table with writers at work.
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_order_id_fkey_old;

-- Reads the whole table once; locks nothing.
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    SELECT count(*) INTO v_rows
    FROM orders
    WHERE replaces IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM orders AS parent
        WHERE parent.id_old = orders.replaces
    );
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of orders point at no row of orders: mend them first', v_rows;
    END IF;
END
$guard$;

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
            ALTER TABLE orders
                DROP CONSTRAINT IF EXISTS orders_replaces_fkey_old,
                ADD CONSTRAINT orders_replaces_fkey_old FOREIGN KEY (replaces) REFERENCES orders (id_old) ON DELETE SET NULL NOT VALID;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

-- Reads the table with writers at work.
ALTER TABLE orders VALIDATE CONSTRAINT orders_replaces_fkey_old;
