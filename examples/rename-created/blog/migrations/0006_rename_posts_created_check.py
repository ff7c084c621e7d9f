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
    IF NOT EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('posts_created_idx_copy') AND indisvalid
    ) THEN
        RAISE EXCEPTION
            'posts_created_idx_copy is missing: finish deploy 1 on this database first';
    END IF;
END
$guard$
"""

# Does nothing where the contract was not applied.
WAY_BACK = """
DO $way_back$
BEGIN
    PERFORM set_config('lock_timeout', '2s', true);
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'posts'::regclass AND attname = 'created_at'
            AND NOT attisdropped AND attnotnull
    ) THEN
        ALTER TABLE posts VALIDATE CONSTRAINT posts_created_at_required;
        ALTER TABLE posts ALTER COLUMN created_at SET NOT NULL;
        ALTER TABLE posts DROP CONSTRAINT posts_created_at_required;
    END IF;
END
$way_back$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("blog", "0005_rename_posts_created_not_null"),
    ]

    operations = [
        migrations.RunSQL(
            [GUARD],
            # Part of the way back: created_at as deploy 1 had it.
            [WAY_BACK],
        ),
    ]
