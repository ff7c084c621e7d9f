"""add users.email_normalized, deploy 2: users.email_normalized without its trigger

Revision ID: ae8b2161f0df
Revises: 20561eeadb6d
Create Date: 2025-02-17 12:00:01.000000

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "ae8b2161f0df"
down_revision: str | Sequence[str] | None = "20561eeadb6d"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GUARD = """
DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_email_normalized_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION
            'users_email_normalized_sync is missing: finish deploy 1 on this database first';
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

LOCK_USERS_2 = """
DO $lock$
BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE relation = 'users'::regclass AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE;
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


def upgrade() -> None:
    """Upgrade schema."""
    op.execute(GUARD)
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS)
    op.execute("DROP TRIGGER users_email_normalized_sync ON users")
    op.execute("DROP FUNCTION users_email_normalized_sync()")


def downgrade() -> None:
    """Loses nothing: the trigger fills the column for old code again."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS_2)
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)
