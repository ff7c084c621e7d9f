-- Expected: ok = t.
SELECT
    NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'countries'::regclass AND attname = 'title'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'countries'::regclass AND attname = 'name'
            AND NOT attisdropped
    )
    AND NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'countries'::regclass AND tgname = 'countries_title_sync'
    ) AS ok;
