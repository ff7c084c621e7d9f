-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('posts_created_idx_copy') AND indisvalid
    ) AS ok;
