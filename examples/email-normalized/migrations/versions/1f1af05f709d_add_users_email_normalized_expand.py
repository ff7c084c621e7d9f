"""add users.email_normalized, 1/4: users.email_normalized, filled by a trigger

Revision ID: 1f1af05f709d
Revises: 5d1c7a90e3b2
Create Date: 2025-01-13 12:00:01.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "1f1af05f709d"
down_revision: str | Sequence[str] | None = "5d1c7a90e3b2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

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
CREATE FUNCTION users_email_normalized_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.email_normalized IS NULL THEN
            NEW.email_normalized := lower(trim(NEW.email));
        END IF;
    ELSIF NEW.email_normalized IS NOT DISTINCT FROM OLD.email_normalized
        AND (OLD.email_normalized IS NULL OR NEW.email IS DISTINCT FROM OLD.email)
    THEN
        -- Old code wrote, or the row was not filled yet.
        NEW.email_normalized := lower(trim(NEW.email));
    END IF;
    RETURN NEW;
END
$sync$
"""

# Batches of its own backfill compute the same, and go without it.
SYNC_TRIGGER = """
CREATE TRIGGER users_email_normalized_sync BEFORE INSERT OR UPDATE ON users
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'users_email_normalized_sync')
EXECUTE FUNCTION users_email_normalized_sync()
"""

# A trigger's body is checked when it first runs: let that be here, on one row.
TOUCH_USERS = """
UPDATE users SET email_normalized = email_normalized
WHERE id = (SELECT id FROM users ORDER BY id LIMIT 1)
"""


def upgrade() -> None:
    """Upgrade schema."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS)
    op.add_column("users", sa.Column("email_normalized", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("users_email_normalized_required"),
        "users",
        "email_normalized IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)
    op.execute(TOUCH_USERS)


def downgrade() -> None:
    """Downgrade schema."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS)
    op.execute("DROP TRIGGER users_email_normalized_sync ON users")
    op.execute("DROP FUNCTION users_email_normalized_sync()")
    op.drop_column("users", "email_normalized")
