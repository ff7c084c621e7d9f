//! One statement, run window by window in a `DO` block that commits after each batch.
//!
//! Windows are page ranges, or ranges of a key: never arithmetic on keys, so gaps, signs and types
//! do not matter. A batch is sized by time. Rows that others had locked are come back to; so is
//! whatever moved out of sight: with a trigger that keeps new rows right the block ends when no row is
//! left, without one when each that is left after two passes was gone to by its key.
//!
//! An UPDATE takes its window in stripes, each every so-many-th line of a page: it then finds room in
//! the same pages, freed by the stripes before it. Where an old snapshot keeps dead rows alive that
//! fails; the block sees it in the server's own statistics, and goes on in plain windows. Figures: README.
//!
//! In a statement a name is the table's column first; the block's own carry its label there.

mod window;

use crate::catalog::TableName;
use crate::dialect::{Action, Dialect};
use crate::plan::rows::Walk;

use super::sync::BACKFILL;
use super::{Writer, indent};

/// A comment: what sets a parameter of the session differs from framework to framework.
pub(super) const PAUSE: &str =
    "Replicas lag? `miggen.pause` is a pause after each batch, in seconds: the runbook sets it.";

/// More find room surer, and read each page once more. All of a window's pages together should fit
/// a processor's cache: that is what bounds a batch.
const STRIPES: u32 = 12;

/// What is done to the rows of a window.
pub(super) struct Batches<'b> {
    /// The table that is walked through.
    pub(super) table: &'b TableName,
    /// The same, as the statement and its condition call it.
    pub(super) from: String,
    pub(super) walk: &'b Walk,
    /// `backfill users`
    pub(super) what: String,
    /// The statement up to its WHERE, and what follows the condition; not indented.
    pub(super) head: String,
    pub(super) tail: String,
    /// What still has to be done; false for a row once it is done.
    pub(super) remaining: String,
    /// The trigger without which rows would come after it that are not done.
    pub(super) sync: Option<&'b str>,
    /// New row versions are to stay in their page.
    pub(super) in_place: bool,
    /// Comes last.
    pub(super) end: String,
}

impl Writer<'_> {
    pub(super) fn batches(&self, batches: &Batches) -> String {
        let window = match batches.walk {
            Walk::Key(columns) => self.along_key(batches, columns),
            Walk::Pages { .. } | Walk::Once => self.by_pages(batches),
        };
        // Only a scan prunes the pages it passes; reading rows by their addresses does not.
        let striped = batches.in_place
            && (matches!(batches.walk, Walk::Key(_)) || self.server.can(Action::PageRange));
        let relation = self.relation(batches.table);
        let (first, least, most, unit) = window.batch;
        let mut declared = format!(
            "    v_pause constant float8 := coalesce(current_setting('miggen.pause', true), '0');
{}    v_batch int := {first};{}-- {unit} in one statement; adapts, to take 0.1 s
",
            window.variables,
            " ".repeat(8 - first.to_string().len().min(7)),
        );
        if let Some(sync) = batches.sync {
            let sync = self.literal(sync);
            declared = format!(
                "    -- The trigger that a batch goes without: its own, unless others may write the row too.
    v_without constant text := CASE
        WHEN EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = {relation} AND NOT tgisinternal AND tgname <> {sync}
        ) OR EXISTS (SELECT FROM pg_class WHERE oid = {relation} AND relhasrules)
        THEN '' ELSE {sync}
    END;
{declared}"
            );
        }
        let mut choice = String::new();
        let mut watch = String::new();
        if striped {
            declared.push_str(
                "    v_stripes int;
    v_plain int := 0;       -- windows to go without stripes
    v_rest int := 4;        -- as many after the next failure, and more after each
    v_before bigint;
    v_hot bigint;
",
            );
            choice = format!(
                "            v_stripes := CASE WHEN v_pass = 1 AND v_plain = 0 THEN {STRIPES} ELSE 1 END;\n            v_before := v_done;\n"
            );
            watch = format!(
                "            -- Did the last stripe find its room, and was there much to do? If not, plain windows.
            IF v_stripes = 1 THEN
                v_plain := v_plain - 1;
            ELSIF v_hot * 2 < v_rows OR v_done - v_before < {} THEN
                v_plain := v_rest;
                v_rest := least(v_rest * 4, 128);
            ELSE
                v_rest := 4;
            END IF;
",
                window.few
            );
        }
        declared.push_str(
            "    v_rows bigint;
    v_done bigint := 0;
    v_missed int := 0;      -- batches given up in a pass: others had locked a row
    v_left boolean;
    v_start timestamptz;
    v_slowest float8;
",
        );
        let mut begins = "";
        let mut tells = String::new();
        if self.tells {
            declared.push_str(
                "    v_began timestamptz;
    v_told timestamptz := clock_timestamp();
",
            );
            begins = "        v_began := clock_timestamp();\n        v_done := 0;\n";
            let (text, values) = window.told;
            tells = format!(
                "            IF clock_timestamp() > v_told + interval '3 s' THEN
                v_told := clock_timestamp();
                RAISE NOTICE 'pass %: % rows, % a second{text}', v_pass, v_done,
                    round(v_done / extract(epoch FROM v_told - v_began)::numeric){values};
            END IF;
"
            );
        }
        let remaining = &batches.remaining;
        let table = &batches.from;
        let swept = match (batches.sync, batches.walk) {
            (None, Walk::Pages { key: Some(key) }) => Some(self.sweep(batches, key)),
            _ => None,
        };
        if swept.is_some() {
            declared.push_str("    v_row record;\n    v_swept boolean := false;\n");
        }
        // Without a trigger rows may come for as long as somebody writes them.
        let (enough, ending) = match batches.sync {
            Some(_) => {
                let kept = self.kept(batches, "v_left");
                ("NOT v_left", self.stayed(batches, "v_left AND v_missed > 0") + &kept)
            }
            None => (
                match swept {
                    Some(_) => "NOT v_left OR v_swept",
                    None => "NOT v_left OR (v_pass > 2 AND v_missed = 0)",
                },
                format!(
                    "{}{}    IF v_left THEN
        RAISE NOTICE {};
    END IF;
",
                    self.stayed(batches, "v_left AND v_missed > 0"),
                    match swept {
                        Some(_) => self.kept(batches, "v_left AND v_swept AND v_done = 0"),
                        // What a job has done is counted pass by pass.
                        None if self.tells => String::new(),
                        None => self.kept(batches, "v_left AND v_done = 0"),
                    },
                    self.literal(
                        &format!(
                            "rows of {} came meanwhile: run this again once nobody writes such rows",
                            batches.table.name
                        )
                        .replace('%', "%%")
                    )
                ),
            ),
        };
        format!(
            "#variable_conflict use_column  -- in a statement a name is the table's first
<<batches>>
DECLARE
{declared}BEGIN
{guard}    FOR v_pass IN 1..30 LOOP
        SELECT EXISTS (
            SELECT FROM {table}
            WHERE {deep}
        ) INTO v_left;
        EXIT WHEN {enough};
        IF v_missed > 0 THEN
            PERFORM pg_sleep(v_pass - 1);  -- others had locked rows
        END IF;
{swept}        v_missed := 0;
{begins}{start}
        WHILE {more} LOOP
{choice}{next}            v_slowest := 0.001;
{batch}
{watch}            v_batch := least({most}, greatest({least},
                v_batch * least(2, greatest(0.25, 0.1 / v_slowest))));
{after}            PERFORM set_config('application_name',
                {progress}, false);
{tells}        END LOOP;
    END LOOP;
    RESET application_name;
{ending}{end}END",
            guard = self.guard_sync(batches, &relation),
            swept = swept.unwrap_or_default(),
            deep = indent(self.dialect, remaining, 12),
            start = window.start,
            more = window.more,
            next = window.next,
            after = window.after,
            progress = window.progress,
            batch = batch(self.dialect, batches, &window.rows, &relation, striped),
            end = batches.end,
        )
    }

    /// An address is no way to a row that is moved at that moment; its key is.
    fn sweep(&self, batches: &Batches, key: &[String]) -> String {
        let names: Vec<String> = key.iter().map(|column| self.ident(column)).collect();
        let same: Vec<String> = names.iter().map(|name| format!("{name} = v_row.{name}")).collect();
        let Batches { from, head, tail, remaining, .. } = batches;
        format!(
            "        v_swept := v_pass > 2 AND v_missed = 0;
        IF v_swept THEN
            v_done := 0;
            -- Others move these from window to window, or they are new: each by its key.
            FOR v_row IN
                SELECT {list} FROM {from}
                WHERE {deeper}
            LOOP
                BEGIN
                    SET LOCAL lock_timeout = '500ms';
                    {head}
                    WHERE {same}
                        AND {remaining}{tail};
                    GET DIAGNOSTICS v_rows = ROW_COUNT;
                    v_done := v_done + v_rows;
                EXCEPTION WHEN lock_not_available OR deadlock_detected
                    OR serialization_failure THEN
                    v_missed := v_missed + 1;
                    v_swept := false;
                END;
                COMMIT;
            END LOOP;
            CONTINUE;
        END IF;
",
            list = names.join(", "),
            deeper = indent(self.dialect, remaining, 16),
            head = indent(self.dialect, head, 20),
            same = same.join(" AND "),
            remaining = indent(self.dialect, remaining, 24),
            tail = indent(self.dialect, tail, 20),
        )
    }

    fn stayed(&self, batches: &Batches, when: &str) -> String {
        let name = &batches.table.name;
        let sentence = format!("rows of {name} stayed locked: end the blocker, run this again");
        format!("\n{}", self.fail(when, &sentence))
    }

    fn kept(&self, batches: &Batches, when: &str) -> String {
        let name = &batches.table.name;
        self.fail(
            when,
            &format!("rows of {name} stay as they were: a trigger or rule keeps them so"),
        )
    }

    fn fail(&self, when: &str, sentence: &str) -> String {
        let sentence = self.literal(&sentence.replace('%', "%%"));
        format!("    IF {when} THEN\n        RAISE EXCEPTION {sentence};\n    END IF;\n")
    }

    fn guard_sync(&self, batches: &Batches, relation: &str) -> String {
        let Some(sync) = batches.sync else {
            return String::new();
        };
        let sentence = format!("{sync} is missing: run the step before this one first");
        format!(
            "    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = {relation} AND tgname = {}
            AND tgenabled IN ('O', 'A')
    ) THEN
        RAISE EXCEPTION {};
    END IF;

",
            self.literal(sync),
            self.literal(&sentence.replace('%', "%%"))
        )
    }

    fn relation(&self, table: &TableName) -> String {
        format!("{}::regclass", self.literal(&self.table(table)))
    }
}

/// One statement with its own commit; in stripes, as often as there are.
fn batch(dialect: Dialect, batches: &Batches, rows: &str, relation: &str, striped: bool) -> String {
    let (stripe, hot, hot_after) = if striped {
        (
            "\n        AND get_byte(tidsend(ctid), 5) % batches.v_stripes = stripe.v_stripe  -- its line",
            format!("v_hot := pg_stat_get_xact_tuples_hot_updated({relation});\n"),
            format!("v_hot := pg_stat_get_xact_tuples_hot_updated({relation}) - v_hot;\n"),
        )
    } else {
        ("", String::new(), String::new())
    };
    let Batches { head, tail, remaining, .. } = batches;
    let without = batches.sync.map_or_else(String::new, |_| {
        format!("    PERFORM set_config('{BACKFILL}', v_without, true);\n")
    });
    let text = format!(
        "v_start := clock_timestamp();
{hot}BEGIN
    -- Below deadlock_timeout: it is us who give way, never a user.
    SET LOCAL lock_timeout = '500ms';
{without}    {head}
    WHERE {rows}{stripe}
        AND {remaining}{tail};
    GET DIAGNOSTICS v_rows = ROW_COUNT;
EXCEPTION WHEN lock_not_available OR deadlock_detected
    OR serialization_failure THEN
    v_rows := 0;
    v_missed := v_missed + 1;
END;
{hot_after}COMMIT;
v_done := v_done + v_rows;
v_slowest := greatest(v_slowest,
    extract(epoch FROM clock_timestamp() - v_start));
PERFORM pg_sleep(v_pause);",
        head = indent(dialect, head, 4),
        remaining = indent(dialect, remaining, 8),
        tail = indent(dialect, tail, 4),
    );
    if striped {
        format!(
            "
            <<stripe>>
            FOR v_stripe IN 0..v_stripes - 1 LOOP
                {}
            END LOOP;
",
            indent(dialect, &text, 16)
        )
    } else {
        format!("            {}\n", indent(dialect, &text, 12))
    }
}
