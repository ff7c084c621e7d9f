\set ON_ERROR_STOP on
SET lock_timeout = 0;
SET statement_timeout = 0;

-- Reads the whole table once; locks nothing.
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    SELECT count(*) INTO v_rows
    FROM (
        SELECT id_new
        FROM orders
        WHERE id_new IS NOT NULL
        GROUP BY id_new
        HAVING count(*) > 1
    ) duplicates;
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% values of orders stand in several rows: see the pre-checks in the runbook', v_rows;
    END IF;
END
$guard$;

-- A build that was cut off left an invalid index: so it is dropped first.
DROP INDEX CONCURRENTLY IF EXISTS orders_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY orders_pkey_new ON orders (id_new);

DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('orders_pkey_new') AND indisvalid
    ) THEN
        RAISE EXCEPTION
            'orders_pkey_new is missing or invalid: run this again';
    END IF;
END
$guard$;
