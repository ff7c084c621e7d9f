\set ON_ERROR_STOP on
BEGIN;

-- Waiting and reading may take longer than the application's queries may.
SET LOCAL statement_timeout = 0;

-- Reads the whole table once; locks nothing.
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute
        JOIN pg_depend
            ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
        LEFT JOIN pg_constraint AS c
            ON classid = 'pg_constraint'::regclass AND c.oid = objid AND contype <> 'n'
        LEFT JOIN pg_rewrite AS r ON classid = 'pg_rewrite'::regclass AND r.oid = objid
        LEFT JOIN pg_publication_rel AS p
            ON classid = 'pg_publication_rel'::regclass AND p.oid = objid
        LEFT JOIN pg_class AS i
            ON i.oid = CASE classid WHEN 'pg_class'::regclass THEN objid ELSE ev_class END
            AND i.relkind IN ('i', 'I', 'v', 'm')
        WHERE attrelid = 'orders'::regclass AND attname = 'id'
            AND coalesce(c.conname, i.relname, p.oid::text::name) NOT IN ('order_lines_order_id_fkey', 'orders_pkey', 'orders_replaces_fkey')
    ) THEN
        RAISE EXCEPTION
            'an index, a key, a view or a publication came upon orders.id since this was planned: it would not come along';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'orders'::regclass AND tgname = 'orders_id_new_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION
            'orders_id_new_sync is missing: finish deploy 1 on this database first';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'order_lines'::regclass AND conname = 'order_lines_order_id_fkey_new' AND convalidated
    ) THEN
        RAISE EXCEPTION
            'order_lines_order_id_fkey_new is not valid';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'orders'::regclass AND conname = 'orders_replaces_fkey_new' AND convalidated
    ) THEN
        RAISE EXCEPTION
            'orders_replaces_fkey_new is not valid';
    END IF;
    SELECT count(*) INTO v_rows
    FROM orders
    WHERE id_new IS NULL AND CAST(id AS bigint) IS NOT NULL;
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of orders are not filled: run the backfill again', v_rows;
    END IF;
    SELECT count(*) INTO v_rows
    FROM orders
    WHERE id IS DISTINCT FROM CAST(id_new AS int);
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
                WHERE relation IN ('order_lines'::regclass, 'orders'::regclass) AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE order_lines, orders IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'order_lines or orders was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

DROP TRIGGER orders_id_new_sync ON orders;
DROP FUNCTION orders_id_new_sync();
ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey;
ALTER TABLE order_lines RENAME CONSTRAINT order_lines_order_id_fkey_new TO order_lines_order_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_replaces_fkey;
ALTER TABLE orders RENAME CONSTRAINT orders_replaces_fkey_new TO orders_replaces_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
ALTER TABLE orders RENAME COLUMN id TO id_old;
ALTER TABLE orders RENAME COLUMN id_new TO id;
ALTER INDEX orders_pkey_new RENAME TO orders_pkey;
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey;

-- On from where the identity is; who may use its sequence may use the new one.
DO $identity$
DECLARE
    v_last bigint;
    v_called boolean;
    v_grant text;
    v_grants text[] := ARRAY(
        SELECT format(
            'GRANT %s ON SEQUENCE %%s TO %s',
            privilege_type,
            CASE grantee
                WHEN 0 THEN 'PUBLIC'
                ELSE replace(quote_ident(pg_get_userbyid(grantee)), '%', '%%')
            END
        )
        FROM (
            SELECT (aclexplode(relacl)).* FROM pg_class WHERE oid = pg_get_serial_sequence('orders', 'id_old')::regclass
        ) grants
    );
BEGIN
    EXECUTE 'SELECT last_value, is_called FROM ' || pg_get_serial_sequence('orders', 'id_old') INTO v_last, v_called;
    ALTER TABLE orders ALTER COLUMN id_old DROP IDENTITY;
    ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
    PERFORM setval(pg_get_serial_sequence('orders', 'id'), v_last, v_called);
    FOREACH v_grant IN ARRAY v_grants LOOP
        EXECUTE format(v_grant, pg_get_serial_sequence('orders', 'id'));
    END LOOP;
END
$identity$;

ALTER TABLE orders ALTER COLUMN id_old DROP NOT NULL;

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

-- A trigger's body is checked when it first runs: let that be here, on one row.
UPDATE orders SET id = id
WHERE id = (SELECT id FROM orders ORDER BY id LIMIT 1);

COMMIT;
