-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('users_email_normalized_key') AND indisvalid
    ) AS ok;
