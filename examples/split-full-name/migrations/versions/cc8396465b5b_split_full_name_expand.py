"""replace users.full_name by first_name and last_name, 1/3: expand

Revision ID: cc8396465b5b
Revises: 8c2f0e4b1a77
Create Date: 2025-01-13 12:00:01.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "cc8396465b5b"
down_revision: str | Sequence[str] | None = "8c2f0e4b1a77"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GUARD = r"""
DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'users'::regclass AND attname = 'full_name'
            AND NOT attisdropped
            AND atttypid = 'varchar'::regtype
            AND substring(format_type(atttypid, atttypmod) FROM '\(.*\)') = '(255)' AND NOT attnotnull
    ) THEN
        RAISE EXCEPTION
            'users.full_name is not varchar(255), or NOT NULL by now: plan this change again';
    END IF;
END
$guard$
"""

# All queries queue behind whoever waits for this lock: so tries of 200 ms, not one long
# wait. Every fifth is 2 s if a vacuum is at work: autovacuum yields after 1 s.
LOCK_USERS = """
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
$lock$
"""

SYNC_FUNCTION = """
CREATE FUNCTION users_full_name_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.first_name IS NULL AND NEW.last_name IS NULL THEN
            NEW.first_name := split_part(btrim(NEW.full_name), ' ', 1);
            NEW.last_name := nullif(btrim(substr(btrim(NEW.full_name),
                length(split_part(btrim(NEW.full_name), ' ', 1)) + 2)), '');
        END IF;
    ELSIF OLD.first_name IS NULL AND OLD.last_name IS NULL THEN
        -- Not filled yet: what is left out comes from the old side.
        IF NEW.first_name IS NULL THEN NEW.first_name := split_part(btrim(NEW.full_name), ' ', 1); END IF;
        IF NEW.last_name IS NULL THEN NEW.last_name := nullif(btrim(substr(btrim(NEW.full_name),
            length(split_part(btrim(NEW.full_name), ' ', 1)) + 2)), ''); END IF;
    END IF;
    IF NEW.full_name IS NOT DISTINCT FROM left(nullif(concat_ws(' ', NEW.first_name, NEW.last_name), '')::text, 255)
        OR (NEW.first_name IS NOT DISTINCT FROM split_part(btrim(NEW.full_name), ' ', 1)
            AND NEW.last_name IS NOT DISTINCT FROM nullif(btrim(substr(btrim(NEW.full_name),
                    length(split_part(btrim(NEW.full_name), ' ', 1)) + 2)), ''))
    THEN
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE'
        AND NEW.full_name IS DISTINCT FROM OLD.full_name
        AND NEW.first_name IS NOT DISTINCT FROM OLD.first_name
        AND NEW.last_name IS NOT DISTINCT FROM OLD.last_name
    THEN
        -- Old code wrote.
        NEW.first_name := split_part(btrim(NEW.full_name), ' ', 1);
        NEW.last_name := nullif(btrim(substr(btrim(NEW.full_name),
            length(split_part(btrim(NEW.full_name), ' ', 1)) + 2)), '');
    ELSE
        -- New code wrote.
        NEW.full_name := left(nullif(concat_ws(' ', NEW.first_name, NEW.last_name), '')::text, 255);
    END IF;
    RETURN NEW;
END
$sync$
"""

# Batches of its own backfill compute the same, and go without it.
SYNC_TRIGGER = """
CREATE TRIGGER users_full_name_sync BEFORE INSERT OR UPDATE ON users
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'users_full_name_sync')
EXECUTE FUNCTION users_full_name_sync()
"""

# A trigger's body is checked when it first runs: let that be here, on one row.
TOUCH_USERS = """
UPDATE users SET first_name = first_name
WHERE id = (SELECT id FROM users ORDER BY id LIMIT 1)
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.execute(GUARD)
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS)
    op.add_column("users", sa.Column("first_name", sa.String(255), nullable=True))
    op.add_column("users", sa.Column("last_name", sa.String(255), nullable=True))
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)
    op.execute(TOUCH_USERS)


def downgrade() -> None:
    """Loses what new code wrote and full_name cannot say."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS)
    op.execute("DROP TRIGGER users_full_name_sync ON users")
    op.execute("DROP FUNCTION users_full_name_sync()")
    op.drop_column("users", "first_name")
    op.drop_column("users", "last_name")
