-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'posts'::regclass AND attname = 'created_at'
            AND NOT attisdropped AND attnotnull
    ) AS ok;
