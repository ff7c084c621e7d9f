-- Expected: ok = t, rows_left = 0.
SELECT
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'countries'::regclass AND attname = 'name'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'countries'::regclass AND tgname = 'countries_title_sync'
            AND tgenabled IN ('O', 'A')
    )
    AND EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('countries_title_idx_copy') AND indisvalid
    )
    AND EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'countries'::regclass AND attname = 'name'
            AND NOT attisdropped AND attnotnull
    ) AS ok;

SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM countries
WHERE name IS NULL;
