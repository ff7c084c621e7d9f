-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'username'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_username_sync'
            AND tgenabled IN ('O', 'A')
    ) AS ok;
