-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_full_name_sync'
            AND tgenabled IN ('O', 'A')
    )
    AND EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'first_name'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'last_name'
            AND NOT attisdropped
    ) AS ok;
