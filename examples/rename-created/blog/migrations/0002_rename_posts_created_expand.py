from django.db import migrations, models

GUARD = """
DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'posts'::regclass AND attname = 'created'
            AND NOT attisdropped
            AND atttypid = 'timestamptz'::regtype AND atttypmod = -1 AND attnotnull
    ) THEN
        RAISE EXCEPTION
            'posts.created is not timestamptz NOT NULL: plan this change again';
    END IF;
END
$guard$
"""

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

ADD_COLUMN = """
ALTER TABLE posts
    ADD COLUMN created_at timestamptz,
    ADD CONSTRAINT posts_created_at_required CHECK (created_at IS NOT NULL) NOT VALID
"""

SYNC_FUNCTION = """
CREATE FUNCTION posts_created_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- created may hold no more than its default: created_at goes first.
        NEW.created := coalesce(NEW.created_at, NEW.created);
        NEW.created_at := NEW.created;
    ELSIF NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        NEW.created := NEW.created_at;     -- new code wrote
    ELSE
        NEW.created_at := NEW.created;     -- old code wrote, or the row was not filled yet
    END IF;
    RETURN NEW;
END
$sync$
"""

# Batches of its own backfill compute the same, and go without it.
SYNC_TRIGGER = """
CREATE TRIGGER posts_created_sync BEFORE INSERT OR UPDATE ON posts
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'posts_created_sync')
EXECUTE FUNCTION posts_created_sync()
"""

# A trigger's body is checked when it first runs: let that be here, on one row.
TOUCH_POSTS = """
UPDATE posts SET created = created
WHERE id = (SELECT id FROM posts ORDER BY id LIMIT 1)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("blog", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [
                        GUARD,
                        # Waiting and reading may take longer than the application's queries may.
                        "SET LOCAL statement_timeout = 0",
                        LOCK_POSTS,
                        ADD_COLUMN,
                        SYNC_FUNCTION,
                        SYNC_TRIGGER,
                        TOUCH_POSTS,
                    ],
                    # Loses nothing: created holds every value.
                    [
                        # Waiting and reading may take longer than the application's queries may.
                        "SET LOCAL statement_timeout = 0",
                        LOCK_POSTS,
                        "DROP TRIGGER posts_created_sync ON posts",
                        "DROP FUNCTION posts_created_sync()",
                        "ALTER TABLE posts DROP COLUMN created_at",
                    ],
                ),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="post", name="posts_created_idx"),
                migrations.RenameField(
                    model_name="post",
                    old_name="created",
                    new_name="created_at",
                ),
                migrations.AddIndex(
                    model_name="post",
                    index=models.Index(fields=["created_at"], name="posts_created_idx"),
                ),
            ],
        ),
    ]
