-- Expected: ok = 1.
SELECT
    EXISTS (
        SELECT 1 FROM pragma_table_xinfo('authors')
        WHERE lower(name) = lower('sort_name')
    )
    AND (
        SELECT count(*) FROM sqlite_master
        WHERE type = 'trigger' AND name IN ('authors_sort_name_sync_insert', 'authors_sort_name_sync_update')
    ) = 2 AS ok;
