"""add users.email_normalized, 4/4: users.email_normalized not null

Revision ID: 20561eeadb6d
Revises: 2a51df05c766
Create Date: 2025-01-13 12:00:04.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "20561eeadb6d"
down_revision: str | Sequence[str] | None = "2a51df05c766"
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


def upgrade() -> None:
    """Upgrade schema."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL lock_timeout = 0")
    op.execute("SET LOCAL statement_timeout = 0")
    # Reads the table with writers at work.
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT users_email_normalized_required")
    op.execute(LOCK_USERS)
    op.alter_column(
        "users",
        "email_normalized",
        existing_type=sa.Text(),
        nullable=False,
    )
    op.drop_constraint(op.f("users_email_normalized_required"), "users", type_="check")


def downgrade() -> None:
    """Downgrade schema."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_USERS)
    op.create_check_constraint(
        op.f("users_email_normalized_required"),
        "users",
        "email_normalized IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.alter_column("users", "email_normalized", existing_type=sa.Text(), nullable=True)
