from django.db import migrations

# All queries queue behind whoever waits for this lock: so tries of 200 ms, not one long
# wait. Every fifth is 2 s if a vacuum is at work: autovacuum yields after 1 s.
LOCK_POSTS = """
DO $lock$
BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE relation = 'posts'::regclass AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE posts IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'posts was busy for 30 tries: end the blocker, then run this again';
END
$lock$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("blog", "0004_rename_posts_created_index"),
    ]

    operations = [
        migrations.RunSQL(
            [
                # Waiting and reading may take longer than the application's queries may.
                "SET LOCAL lock_timeout = 0",
                "SET LOCAL statement_timeout = 0",
                # Reads the table with writers at work.
                "ALTER TABLE posts VALIDATE CONSTRAINT posts_created_at_required",
                LOCK_POSTS,
                "ALTER TABLE posts ALTER COLUMN created_at SET NOT NULL",
                "ALTER TABLE posts DROP CONSTRAINT posts_created_at_required",
            ],
            [
                # Waiting and reading may take longer than the application's queries may.
                "SET LOCAL statement_timeout = 0",
                LOCK_POSTS,
                "ALTER TABLE posts ADD CONSTRAINT posts_created_at_required CHECK (created_at IS NOT NULL) NOT VALID",
                "ALTER TABLE posts ALTER COLUMN created_at DROP NOT NULL",
            ],
        ),
    ]
