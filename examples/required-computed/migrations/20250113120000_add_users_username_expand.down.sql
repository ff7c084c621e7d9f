-- Waiting and reading may take longer than the application's queries may.
SET LOCAL statement_timeout = 0;

-- All queries queue behind whoever waits for this lock: so tries of 200 ms, not one long
-- wait. Every fifth is 2 s if a vacuum is at work: autovacuum yields after 1 s.
DO $lock$
BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE relation = 'users'::regclass AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE users IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'users was busy for 30 tries: end the blocker, then run this again';
END
$lock$;

DROP TRIGGER users_username_sync ON users;
DROP FUNCTION users_username_sync();
ALTER TABLE users DROP COLUMN username;
