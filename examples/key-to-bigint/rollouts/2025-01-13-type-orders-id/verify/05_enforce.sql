-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'orders'::regclass AND conname = 'orders_replaces_fkey_new' AND convalidated
    )
    AND EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'orders'::regclass AND attname = 'id_new'
            AND NOT attisdropped AND attnotnull
    ) AS ok;
