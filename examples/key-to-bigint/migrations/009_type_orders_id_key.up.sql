\set ON_ERROR_STOP on
SET lock_timeout = 0;
SET statement_timeout = 0;

DO $guard$
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
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('orders_pkey_new') AND indisvalid
    ) THEN
        RAISE EXCEPTION
            'orders_pkey_new is missing: finish deploy 1 on this database first';
    END IF;
END
$guard$;
