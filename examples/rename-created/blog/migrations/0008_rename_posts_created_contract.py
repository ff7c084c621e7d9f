from django.db import migrations

GUARD = """
DO $guard$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute
        JOIN pg_depend
            ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
        LEFT JOIN pg_constraint AS c
            ON classid = 'pg_constraint'::regclass AND c.oid = objid AND contype <> 'n'
        LEFT JOIN pg_rewrite AS r ON classid = 'pg_rewrite'::regclass AND r.oid = objid
        LEFT JOIN pg_publication_rel AS p
            ON classid = 'pg_publication_rel'::regclass AND p.oid = objid
        LEFT JOIN pg_class AS i
            ON i.oid = CASE classid WHEN 'pg_class'::regclass THEN objid ELSE ev_class END
            AND i.relkind IN ('i', 'I', 'v', 'm')
        WHERE attrelid = 'posts'::regclass AND attname = 'created_at'
            AND coalesce(c.conname, i.relname, p.oid::text::name) NOT IN ('posts_created_idx_copy')
    ) THEN
        RAISE EXCEPTION
            'an index, a key, a view or a publication came upon posts.created_at since this was planned: it would not come along';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'posts'::regclass AND tgname = 'posts_created_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION
            'posts_created_sync is missing: finish deploy 1 on this database first';
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

# A trigger's body is checked when it first runs: let that be here, on one row.
TOUCH_POSTS = """
UPDATE posts SET created_at = created_at
WHERE id = (SELECT id FROM posts ORDER BY id LIMIT 1)
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


class Migration(migrations.Migration):
    dependencies = [
        ("blog", "0007_rename_posts_created_in_step"),
    ]

    operations = [
        migrations.RunSQL(
            [
                GUARD,
                # Waiting and reading may take longer than the application's queries may.
                "SET LOCAL statement_timeout = 0",
                LOCK_POSTS,
                "DROP TRIGGER posts_created_sync ON posts",
                "DROP FUNCTION posts_created_sync()",
                "ALTER TABLE posts DROP COLUMN created_at",
                "ALTER TABLE posts RENAME COLUMN created TO created_at",
                TOUCH_POSTS,
            ],
            # Loses nothing: created_at is created again, and gets its copy back; the downs before fill it.
            [
                # Waiting and reading may take longer than the application's queries may.
                "SET LOCAL statement_timeout = 0",
                LOCK_POSTS,
                "ALTER TABLE posts RENAME COLUMN created_at TO created",
                ADD_COLUMN,
                SYNC_FUNCTION,
                SYNC_TRIGGER,
            ],
        ),
    ]
