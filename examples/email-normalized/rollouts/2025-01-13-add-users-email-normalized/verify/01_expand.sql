-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'email_normalized'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_email_normalized_sync'
            AND tgenabled IN ('O', 'A')
    ) AS ok;
