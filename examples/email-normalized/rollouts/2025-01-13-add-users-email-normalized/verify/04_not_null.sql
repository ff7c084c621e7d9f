-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'email_normalized'
            AND NOT attisdropped AND attnotnull
    ) AS ok;
