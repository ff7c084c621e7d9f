-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'username'
            AND NOT attisdropped AND attnotnull
    ) AS ok;
