-- Expected: ok = t.
SELECT
    NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'orders'::regclass AND attname = 'id_old'
            AND NOT attisdropped
    )
    AND NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'orders'::regclass AND tgname = 'orders_id_old_sync'
    ) AS ok;
