\set ON_ERROR_STOP on
SET lock_timeout = 0;
SET statement_timeout = 0;

DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'orders'::regclass AND tgname = 'orders_id_old_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION
            'orders_id_old_sync is missing: finish deploy 2 on this database first';
    END IF;
END
$guard$;
