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
            'orders_id_old_sync is missing: run the step before this one first';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'orders'::regclass AND attname = 'id_old'
            AND NOT attisdropped AND NOT attnotnull
    ) THEN
        RAISE EXCEPTION
            'orders.id_old is required by a way back that was begun: go on with that, then come again';
    END IF;
END
$guard$;
