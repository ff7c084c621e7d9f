"""replace users.full_name by first_name and last_name, deploy 2, 1/2: check

Revision ID: 7c1845aed949
Revises: 2be9a53281d8
Create Date: 2025-02-17 12:00:01.000000

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "7c1845aed949"
down_revision: str | Sequence[str] | None = "2be9a53281d8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Reads the whole table once; locks nothing.
GUARD = """
DO $guard$
DECLARE
    v_rows bigint;
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
        WHERE attrelid = 'users'::regclass AND attname = 'full_name'
            AND coalesce(c.conname, i.relname, p.oid::text::name) IS NOT NULL
    ) THEN
        RAISE EXCEPTION
            'an index, a key, a view or a publication came upon users.full_name since this was planned: it would not come along';
    END IF;
    IF now() < '2025-02-14' THEN
        RAISE EXCEPTION
            'users.full_name is kept until 2025-02-14: leave this for a later release';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_full_name_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION
            'users_full_name_sync is missing: finish deploy 1 on this database first';
    END IF;
    SELECT count(*) INTO v_rows
    FROM users
    WHERE (
        first_name IS DISTINCT FROM split_part(btrim(full_name), ' ', 1)
        OR last_name IS DISTINCT FROM nullif(btrim(substr(btrim(full_name),
            length(split_part(btrim(full_name), ' ', 1)) + 2)), '')
    ) AND full_name IS DISTINCT FROM left(nullif(concat_ws(' ', first_name, last_name), '')::text, 255);
    IF v_rows > 0 THEN
        RAISE EXCEPTION '% rows of users are out of step: see the runbook', v_rows;
    END IF;
END
$guard$
"""

# Fills full_name; one commit per batch. It may be killed and run again at any time.
# A window is updated in stripes: each finds room in the same pages, freed by the stripes
# before it, so no index is touched and WAL is halved. While an old snapshot keeps dead
# rows alive that fails, and plain batches are used.
# Replicas lag? `miggen.pause` is a pause after each batch, in seconds: the runbook sets it.
BACKFILL = """
DO $backfill$
#variable_conflict use_column  -- in a statement a name is the table's first
<<batches>>
DECLARE
    -- The trigger that a batch goes without: its own, unless others may write the row too.
    v_without constant text := CASE
        WHEN EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = 'users'::regclass AND NOT tgisinternal AND tgname <> 'users_full_name_sync'
        ) OR EXISTS (SELECT FROM pg_class WHERE oid = 'users'::regclass AND relhasrules)
        THEN '' ELSE 'users_full_name_sync'
    END;
    v_pause constant float8 := coalesce(current_setting('miggen.pause', true), '0');
    v_from tid;             -- the window is v_from <= ctid < v_to
    v_to tid;
    v_page bigint;
    v_next bigint;
    v_pages bigint;
    v_batch int := 10;      -- pages in one statement; adapts, to take 0.1 s
    v_stripes int;
    v_plain int := 0;       -- windows to go without stripes
    v_rest int := 4;        -- as many after the next failure, and more after each
    v_before bigint;
    v_hot bigint;
    v_rows bigint;
    v_done bigint := 0;
    v_missed int := 0;      -- batches given up in a pass: others had locked a row
    v_left boolean;
    v_start timestamptz;
    v_slowest float8;
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'users'::regclass AND tgname = 'users_full_name_sync'
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION 'users_full_name_sync is missing: run the step before this one first';
    END IF;

    FOR v_pass IN 1..30 LOOP
        SELECT EXISTS (
            SELECT FROM users
            WHERE full_name IS NULL AND left(nullif(concat_ws(' ', first_name, last_name), '')::text, 255) IS NOT NULL
        ) INTO v_left;
        EXIT WHEN NOT v_left;
        IF v_missed > 0 THEN
            PERFORM pg_sleep(v_pass - 1);  -- others had locked rows
        END IF;
        v_missed := 0;
        v_page := 0;
        v_pages := pg_relation_size('users'::regclass) / current_setting('block_size')::int;

        WHILE v_page < v_pages LOOP
            v_stripes := CASE WHEN v_pass = 1 AND v_plain = 0 THEN 12 ELSE 1 END;
            v_before := v_done;
            v_next := least(v_page + v_batch * v_stripes, v_pages);
            v_from := format('(%s,0)', v_page);
            v_to := format('(%s,0)', v_next);
            v_slowest := 0.001;

            <<stripe>>
            FOR v_stripe IN 0..v_stripes - 1 LOOP
                v_start := clock_timestamp();
                v_hot := pg_stat_get_xact_tuples_hot_updated('users'::regclass);
                BEGIN
                    -- Below deadlock_timeout: it is us who give way, never a user.
                    SET LOCAL lock_timeout = '500ms';
                    PERFORM set_config('miggen.backfill', v_without, true);
                    UPDATE users
                    SET full_name = left(nullif(concat_ws(' ', first_name, last_name), '')::text, 255)
                    WHERE ctid >= batches.v_from AND ctid < batches.v_to
                        AND get_byte(tidsend(ctid), 5) % batches.v_stripes = stripe.v_stripe  -- its line
                        AND full_name IS NULL AND left(nullif(concat_ws(' ', first_name, last_name), '')::text, 255) IS NOT NULL;
                    GET DIAGNOSTICS v_rows = ROW_COUNT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected
                    OR serialization_failure THEN
                    v_rows := 0;
                    v_missed := v_missed + 1;
                END;
                v_hot := pg_stat_get_xact_tuples_hot_updated('users'::regclass) - v_hot;
                COMMIT;
                v_done := v_done + v_rows;
                v_slowest := greatest(v_slowest,
                    extract(epoch FROM clock_timestamp() - v_start));
                PERFORM pg_sleep(v_pause);
            END LOOP;

            -- Did the last stripe find its room, and was there much to do? If not, plain windows.
            IF v_stripes = 1 THEN
                v_plain := v_plain - 1;
            ELSIF v_hot * 2 < v_rows OR v_done - v_before < v_batch * v_stripes THEN
                v_plain := v_rest;
                v_rest := least(v_rest * 4, 128);
            ELSE
                v_rest := 4;
            END IF;
            v_batch := least(100, greatest(1,
                v_batch * least(2, greatest(0.25, 0.1 / v_slowest))));
            v_page := v_next;
            PERFORM set_config('application_name',
                format('backfill users: page %s of %s', v_page, v_pages), false);
        END LOOP;
    END LOOP;
    RESET application_name;

    IF v_left AND v_missed > 0 THEN
        RAISE EXCEPTION 'rows of users stayed locked: end the blocker, run this again';
    END IF;
    IF v_left THEN
        RAISE EXCEPTION 'rows of users stay as they were: a trigger or rule keeps them so';
    END IF;
    ANALYZE users (full_name);
END
$backfill$
"""


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        op.execute(GUARD)
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")


def downgrade() -> None:
    """Part of the way back: computes full_name again."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        op.execute(BACKFILL)
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
