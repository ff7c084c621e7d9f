\set ON_ERROR_STOP on
SET lock_timeout = 0;
SET statement_timeout = 0;

DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('orders_pkey_new') AND indisvalid
    ) THEN
        RAISE EXCEPTION
            'orders_pkey_new is missing: finish deploy 1 on this database first';
    END IF;
END
$guard$;
