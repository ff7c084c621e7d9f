//! Backfills.
//!
//! PostgreSQL: one `DO` block that commits batch by batch and watches itself. A window of keys is
//! updated in ten stripes, so that each finds room in the pages that the stripes before it freed: no
//! index is touched and half the WAL is written. Where an old snapshot keeps dead rows alive that
//! fails, the block sees it in the server's own statistics, and goes on in plain windows.

use crate::dialect::Dialect;
use crate::plan::op::Backfill;

use super::condition::predicate;
use super::{Sql, Writer, dollar, indent};

impl Writer<'_> {
    pub(super) fn backfill(&self, backfill: &Backfill) -> Sql {
        let columns: Vec<&str> = backfill.set.iter().map(|(column, _)| column.as_str()).collect();
        let columns = columns.join(" and ");
        let remaining = predicate(self.server, &backfill.remaining);
        let Some(key) = &backfill.key else {
            return Sql::named(
                "BACKFILL",
                format!(
                    "UPDATE {}\nSET {}\nWHERE {remaining}",
                    self.table(&backfill.table),
                    self.assignments(backfill, 4)
                ),
            )
            .comment(format!("Fills {columns}; a second run finds nothing to do."));
        };
        let body = self.loop_over(backfill, key, &remaining);
        let mut sql = Sql::named("BACKFILL", format!("DO {}", dollar("backfill", &body))).alone();
        for line in [
            format!("Fills {columns}; one commit per batch. It may be killed and run again at any time."),
            "A window of keys is updated in ten stripes: each finds room in the same pages, freed by".into(),
            "the stripes before it, so no index is touched and WAL is halved. While an old snapshot".into(),
            "keeps dead rows alive that fails, and plain batches are used.".into(),
            "Replicas lag? Run it with PGOPTIONS='-c miggen.pause=0.2' (seconds after each batch).".into(),
        ] {
            sql = sql.comment(line);
        }
        sql
    }

    fn assignments(&self, backfill: &Backfill, by: usize) -> String {
        backfill
            .set
            .iter()
            .map(|(column, expr)| format!("{} = {}", self.ident(column), expr.0))
            .collect::<Vec<_>>()
            .join(&format!(",\n{}", " ".repeat(by)))
    }

    fn loop_over(&self, backfill: &Backfill, key: &str, remaining: &str) -> String {
        debug_assert_eq!(self.dialect, Dialect::Postgres, "the only one with batches so far");
        let table = self.table(&backfill.table);
        let relation = format!("{}::regclass", self.literal(&table));
        let key = self.ident(key);
        let name = &backfill.table.name;
        let guard = match &backfill.sync {
            None => String::new(),
            Some(sync) => format!(
                "    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = {relation} AND tgname = {}
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION {};
    END IF;

",
                self.literal(sync),
                self.literal(
                    &format!("{sync} is missing: run the step before this one first")
                        .replace('%', "%%")
                )
            ),
        };
        let set = self.assignments(backfill, 24);
        let deep = indent(remaining, 24);
        let shallow = indent(remaining, 8);
        let columns: Vec<String> = backfill.set.iter().map(|(c, _)| self.ident(c)).collect();
        let columns = columns.join(", ");
        let progress =
            self.literal(&format!("backfill {}: {} %s of %s", name.replace('%', "%%"), "key"));
        let stayed = self.literal(
            &format!("rows of {name} stayed locked: end the blocker, run this again")
                .replace('%', "%%"),
        );
        format!(
            "DECLARE
    v_pause constant float8 := coalesce(current_setting('miggen.pause', true), '0');
    v_lo bigint;            -- the window is v_lo < {key} <= v_hi
    v_hi bigint;
    v_top bigint;           -- the last row to do
    v_batch int := 500;     -- rows in one UPDATE; adapts, to take 0.1 s
    v_stripes int;
    v_plain int := 0;       -- windows to go without stripes
    v_rows bigint;
    v_hot bigint;
    v_start timestamptz;
    v_slowest float8;
BEGIN
{guard}    FOR v_pass IN 1..30 LOOP
        SELECT min({key}) - 1, max({key}) INTO v_lo, v_top
        FROM {table}
        WHERE {shallow};
        EXIT WHEN v_top IS NULL;
        PERFORM pg_sleep(v_pass - 1);  -- from pass 2 on: rows that others had locked

        WHILE v_lo < v_top LOOP
            v_stripes := CASE WHEN v_pass = 1 AND v_plain = 0 THEN 10 ELSE 1 END;
            SELECT {key} INTO v_hi
            FROM {table}
            WHERE {key} > v_lo
            ORDER BY {key}
            OFFSET v_batch * v_stripes - 1 LIMIT 1;
            v_hi := least(coalesce(v_hi, v_top), v_top);
            v_slowest := 0.001;

            FOR v_stripe IN 0..v_stripes - 1 LOOP
                v_start := clock_timestamp();
                v_hot := pg_stat_get_xact_tuples_hot_updated({relation});
                BEGIN
                    -- Below deadlock_timeout: it is us who give way, never a user.
                    SET LOCAL lock_timeout = '500ms';
                    UPDATE {table}
                    SET {set}
                    WHERE {key} > v_lo AND {key} <= v_hi AND {key} % v_stripes = v_stripe
                        AND {deep};
                    GET DIAGNOSTICS v_rows = ROW_COUNT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    v_rows := 0;
                END;
                v_hot := pg_stat_get_xact_tuples_hot_updated({relation}) - v_hot;
                COMMIT;
                v_slowest := greatest(v_slowest,
                    extract(epoch FROM clock_timestamp() - v_start));
                PERFORM pg_sleep(v_pause);
            END LOOP;

            -- Did the last stripe find its room? If not, 20 plain windows.
            v_plain := CASE WHEN v_stripes > 1 AND v_hot * 2 < v_rows THEN 20
                ELSE greatest(v_plain - 1, 0) END;
            v_batch := least(20000, greatest(100,
                v_batch * least(2, greatest(0.25, 0.1 / v_slowest))));
            v_lo := v_hi;
            PERFORM set_config('application_name',
                format({progress}, v_hi, v_top), false);
        END LOOP;
    END LOOP;
    RESET application_name;

    IF v_top IS NOT NULL THEN
        RAISE EXCEPTION {stayed};
    END IF;
    ANALYZE {table} ({columns});
END"
        )
    }
}
