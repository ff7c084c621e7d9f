-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('idx_users_last_name') AND indisvalid
    ) AS ok;
