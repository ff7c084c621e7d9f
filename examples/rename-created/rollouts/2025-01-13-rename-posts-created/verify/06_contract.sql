-- Expected: ok = t.
SELECT
    NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'posts'::regclass AND attname = 'created'
            AND NOT attisdropped
    )
    AND EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'posts'::regclass AND attname = 'created_at'
            AND NOT attisdropped
    )
    AND NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'posts'::regclass AND tgname = 'posts_created_sync'
    ) AS ok;
