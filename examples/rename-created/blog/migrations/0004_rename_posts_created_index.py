from django.db import migrations

VERIFY = """
DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('posts_created_idx_copy') AND indisvalid
    ) THEN
        RAISE EXCEPTION
            'posts_created_idx_copy is missing or invalid: run this again';
    END IF;
END
$guard$
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("blog", "0003_rename_posts_created_backfill"),
    ]

    operations = [
        migrations.RunSQL(
            [
                "SET lock_timeout = 0",
                "SET statement_timeout = 0",
                # A build that was cut off left an invalid index: so it is dropped first.
                "DROP INDEX CONCURRENTLY IF EXISTS posts_created_idx_copy",
                "CREATE INDEX CONCURRENTLY posts_created_idx_copy ON posts (created_at)",
                VERIFY,
                "RESET lock_timeout",
                "RESET statement_timeout",
            ],
            [
                "SET lock_timeout = 0",
                "SET statement_timeout = 0",
                "DROP INDEX CONCURRENTLY IF EXISTS posts_created_idx_copy",
                "RESET lock_timeout",
                "RESET statement_timeout",
            ],
        ),
    ]
