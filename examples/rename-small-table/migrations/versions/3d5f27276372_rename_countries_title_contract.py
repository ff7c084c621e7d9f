"""rename countries.title to name, deploy 2: contract

Revision ID: 3d5f27276372
Revises: d999fd291cf4
Create Date: 2025-02-17 12:00:01.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "3d5f27276372"
down_revision: str | Sequence[str] | None = "d999fd291cf4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

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
        WHERE attrelid = 'countries'::regclass AND attname = 'name'
            AND coalesce(c.conname, i.relname, p.oid::text::name) NOT IN ('countries_title_idx_copy')
    ) THEN
        RAISE EXCEPTION
            'an index, a key, a view or a publication came upon countries.name since this was planned: it would not come along';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'countries'::regclass AND tgname = 'countries_title_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION
            'countries_title_sync is missing: finish deploy 1 on this database first';
    END IF;
END
$guard$
"""

# Reads the whole table once; locks nothing.
GUARD_2 = """
DO $guard$
DECLARE
    v_rows bigint;
BEGIN
    SELECT count(*) INTO v_rows
    FROM countries
    WHERE title IS DISTINCT FROM name;
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of countries are out of step: see the runbook', v_rows;
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

# A trigger's body is checked when it first runs: let that be here, on one row.
TOUCH_COUNTRIES = """
UPDATE countries SET name = name
WHERE code = (SELECT code FROM countries ORDER BY code LIMIT 1)
"""

GUARD_3 = """
DO $guard$
BEGIN
    IF NOT current_setting('transaction_isolation') = 'read committed' THEN
        RAISE EXCEPTION
            'run this at READ COMMITTED: else rows that are written while it waits for its lock stay as they are';
    END IF;
END
$guard$
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

# Fills name; a second run finds nothing to do.
BACKFILL = """
UPDATE countries
SET name = title
WHERE name IS NULL
"""

# Does nothing where the contract was not applied.
WAY_BACK = """
DO $way_back$
BEGIN
    PERFORM set_config('lock_timeout', '2s', true);
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'countries'::regclass AND attname = 'name'
            AND NOT attisdropped AND attnotnull
    ) THEN
        ALTER TABLE countries VALIDATE CONSTRAINT countries_name_required;
        ALTER TABLE countries ALTER COLUMN name SET NOT NULL;
        ALTER TABLE countries DROP CONSTRAINT countries_name_required;
    END IF;
END
$way_back$
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.execute(GUARD)
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(GUARD_2)
    op.execute(LOCK_COUNTRIES)
    op.execute("DROP TRIGGER countries_title_sync ON countries")
    op.execute("DROP FUNCTION countries_title_sync()")
    op.drop_column("countries", "name")
    op.alter_column("countries", "title", new_column_name="name")
    op.execute(TOUCH_COUNTRIES)


def downgrade() -> None:
    """Part of the way back: name as deploy 1 had it. Loses nothing: name is title
    again, and gets its copy back; the downs before fill it."""
    op.execute(GUARD_3)
    # Waiting and reading may take longer than the application's queries may.
    op.execute("SET LOCAL statement_timeout = 0")
    op.execute(LOCK_COUNTRIES)
    op.alter_column("countries", "name", new_column_name="title")
    op.add_column("countries", sa.Column("name", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("countries_name_required"),
        "countries",
        "name IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)
    op.execute(BACKFILL)
    op.execute(
        "CREATE UNIQUE INDEX IF NOT EXISTS countries_title_idx_copy ON countries (name)",
    )
    op.execute(WAY_BACK)
