-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('orders_pkey_new') AND indisvalid
    ) AS ok;
