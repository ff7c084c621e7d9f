"""add users.email_normalized, 3/4: users.email_normalized unique

Revision ID: 2a51df05c766
Revises: b2e1b21b4ba6
Create Date: 2025-01-13 12:00:03.000000

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "2a51df05c766"
down_revision: str | Sequence[str] | None = "b2e1b21b4ba6"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Reads the whole table once; locks nothing.
GUARD = """
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    IF EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'users'::regclass AND conname = 'users_email_normalized_key'
            AND ARRAY(
                SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (num, at)
                JOIN pg_attribute ON attrelid = conrelid AND attnum = num
                ORDER BY at
            ) <> ARRAY['email_normalized']
    ) THEN
        RAISE EXCEPTION
            'users_email_normalized_key is a constraint on other columns: plan this change again';
    END IF;
    SELECT count(*) INTO v_rows
    FROM (
        SELECT email_normalized
        FROM users
        WHERE email_normalized IS NOT NULL
        GROUP BY email_normalized
        HAVING count(*) > 1
    ) duplicates;
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% values of users stand in several rows: see the pre-checks in the runbook', v_rows;
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
            ALTER TABLE users
                DROP CONSTRAINT IF EXISTS users_email_normalized_key,  -- made by a run that was not recorded
                ADD CONSTRAINT users_email_normalized_key UNIQUE USING INDEX users_email_normalized_key_new;
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
            LOCK TABLE users IN ACCESS EXCLUSIVE MODE;
            ALTER TABLE users DROP CONSTRAINT IF EXISTS users_email_normalized_key;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'users was busy for 30 tries: end the blocker, then run this again';
END
$lock$
"""


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        op.execute(GUARD)
        # A build that was cut off left an invalid index: so it is dropped first.
        op.drop_index(
            op.f("users_email_normalized_key_new"),
            table_name="users",
            postgresql_concurrently=True,
            if_exists=True,
        )
        op.create_index(
            op.f("users_email_normalized_key_new"),
            "users",
            ["email_normalized"],
            unique=True,
            postgresql_concurrently=True,
        )
        op.execute(LOCK_USERS)
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")


def downgrade() -> None:
    """Downgrade schema."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        op.execute(LOCK_USERS_2)
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
