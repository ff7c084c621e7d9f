"""rename countries.title to name: expand

Revision ID: d999fd291cf4
Revises: b7e40c15d982
Create Date: 2025-01-13 12:00:01.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "d999fd291cf4"
down_revision: str | Sequence[str] | None = "b7e40c15d982"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

GUARD = """
DO $guard$
BEGIN
    IF NOT current_setting('transaction_isolation') = 'read committed' THEN
        RAISE EXCEPTION
            'run this at READ COMMITTED: else rows that are written while it waits for its lock stay as they are';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'countries'::regclass AND attname = 'title'
            AND NOT attisdropped
            AND atttypid = 'text'::regtype AND atttypmod = -1 AND attnotnull
    ) THEN
        RAISE EXCEPTION
            'countries.title is not text NOT NULL: plan this change again';
    END IF;
END
$guard$
"""

# All queries queue behind whoever waits for this lock: so tries of 200 ms, not one long
# wait. Every fifth is 2 s if a vacuum is at work: autovacuum yields after 1 s.
LOCK_COUNTRIES = """
DO $lock$
BEGIN
    FOR v_try IN 1..30 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN v_try % 5 = 0 AND EXISTS (
                SELECT FROM pg_locks
                WHERE relation = 'countries'::regclass AND pid <> pg_backend_pid()
                    AND mode = 'ShareUpdateExclusiveLock'
            ) THEN '2s' ELSE '200ms' END, true);
            LOCK TABLE countries IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(least(5, 0.2 * v_try) * (0.5 + random()));
        END;
    END LOOP;
    RAISE EXCEPTION 'countries was busy for 30 tries: end the blocker, then run this again';
END
$lock$
"""

SYNC_FUNCTION = """
CREATE FUNCTION countries_title_sync() RETURNS trigger LANGUAGE plpgsql AS $sync$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.title := coalesce(NEW.name, NEW.title);
        NEW.name := NEW.title;
    ELSIF NEW.name IS DISTINCT FROM OLD.name THEN
        NEW.title := NEW.name;     -- new code wrote
    ELSE
        NEW.name := NEW.title;     -- old code wrote, or the row was not filled yet
    END IF;
    RETURN NEW;
END
$sync$
"""

# Batches of its own backfill compute the same, and go without it.
SYNC_TRIGGER = """
CREATE TRIGGER countries_title_sync BEFORE INSERT OR UPDATE ON countries
FOR EACH ROW
WHEN (current_setting('miggen.backfill', true) IS DISTINCT FROM 'countries_title_sync')
EXECUTE FUNCTION countries_title_sync()
"""

# A trigger's body is checked when it first runs: let that be here, on one row.
TOUCH_COUNTRIES = """
UPDATE countries SET title = title
WHERE code = (SELECT code FROM countries ORDER BY code LIMIT 1)
"""

# Fills name; a second run finds nothing to do.
BACKFILL = """
UPDATE countries
SET name = title
WHERE name IS NULL
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.execute(GUARD)
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_COUNTRIES)
    op.add_column("countries", sa.Column("name", sa.Text(), nullable=True))
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)
    op.execute(TOUCH_COUNTRIES)
    op.execute(BACKFILL)
    op.create_index(
        op.f("countries_title_idx_copy"),
        "countries",
        ["name"],
        unique=True,
    )
    op.alter_column("countries", "name", existing_type=sa.Text(), nullable=False)


def downgrade() -> None:
    """Loses nothing: title holds every value."""
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_COUNTRIES)
    op.drop_index(op.f("countries_title_idx_copy"), table_name="countries")
    op.execute("DROP TRIGGER countries_title_sync ON countries")
    op.execute("DROP FUNCTION countries_title_sync()")
    op.drop_column("countries", "name")
