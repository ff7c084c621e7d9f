-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'orders'::regclass AND attname = 'id_new'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'orders'::regclass AND tgname = 'orders_id_new_sync'
            AND tgenabled IN ('O', 'A')
    ) AS ok;
