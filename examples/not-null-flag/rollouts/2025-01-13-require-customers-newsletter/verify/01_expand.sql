-- Expected: ok = t.
SELECT
    EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'customers'::regclass AND tgname = 'customers_newsletter_sync'
            AND tgenabled IN ('O', 'A')
    ) AS ok;
