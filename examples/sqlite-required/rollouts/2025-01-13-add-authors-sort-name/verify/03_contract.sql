-- Expected: ok = 1.
SELECT
    (
        SELECT count(*) FROM sqlite_master
        WHERE type = 'trigger' AND name IN ('authors_sort_name_sync_insert', 'authors_sort_name_sync_update')
    ) = 0
    AND EXISTS (
        SELECT 1 FROM pragma_table_xinfo('authors')
        WHERE lower(name) = lower('sort_name') AND "notnull" = 1
    ) AS ok;
