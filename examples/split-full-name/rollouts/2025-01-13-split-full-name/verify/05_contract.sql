-- Expected: ok = t.
SELECT
    NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_full_name_sync'
    )
    AND NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'full_name'
            AND NOT attisdropped
    ) AS ok;
