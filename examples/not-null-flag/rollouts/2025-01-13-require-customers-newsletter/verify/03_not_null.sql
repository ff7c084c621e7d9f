-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'customers'::regclass AND attname = 'newsletter'
            AND NOT attisdropped AND attnotnull
    ) AS ok;
