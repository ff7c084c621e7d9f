-- Expected: ok = t.
SELECT
    NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_email_normalized_sync'
    ) AS ok;
