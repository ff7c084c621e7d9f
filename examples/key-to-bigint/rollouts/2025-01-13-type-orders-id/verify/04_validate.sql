-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'order_lines'::regclass AND conname = 'order_lines_order_id_fkey_new' AND convalidated
    ) AS ok;
