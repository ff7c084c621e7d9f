-- Expected: ok = t.
SELECT
    NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'customers'::regclass AND tgname = 'customers_newsletter_sync'
    ) AS ok;
