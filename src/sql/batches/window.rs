//! The part of a table that one round of batches is about: a range of pages, or of a key.

use crate::dialect::Action;

use super::super::{Writer, indent};
use super::Batches;

/// How a window is found; each text is at its place in the block.
pub(super) struct Window {
    pub(super) variables: String,
    pub(super) start: String,
    pub(super) more: &'static str,
    pub(super) next: String,
    pub(super) after: String,
    pub(super) rows: String,
    pub(super) progress: String,
    /// How far it is, as `RAISE` takes it: a text, and what its percent signs stand for.
    pub(super) told: (&'static str, &'static str),
    /// First, least and most of a batch, and in what.
    pub(super) batch: (u32, u32, u32, &'static str),
    /// A window with fewer rows to do needs no stripes.
    pub(super) few: &'static str,
}

impl Writer<'_> {
    pub(super) fn by_pages(&self, batches: &Batches) -> Window {
        let ranges = self.server.can(Action::PageRange);
        let stripes = if batches.in_place && ranges { " * v_stripes" } else { "" };
        let (variables, find, rows) = if ranges {
            (
                "    v_from tid;             -- the window is v_from <= ctid < v_to
    v_to tid;
",
                "            v_from := format('(%s,0)', v_page);
            v_to := format('(%s,0)', v_next);
",
                "ctid >= batches.v_from AND ctid < batches.v_to",
            )
        } else {
            (
                "    v_lines tid[];          -- wherever in the window a row may lie
",
                "            SELECT array_agg(format('(%s,%s)', page, line)::tid) INTO v_lines
            FROM generate_series(v_page, v_next - 1) AS page,
                generate_series(1, current_setting('block_size')::int / 28) AS line;
",
                "ctid = ANY (batches.v_lines)",
            )
        };
        Window {
            variables: format!(
                "{variables}    v_page bigint;
    v_next bigint;
    v_pages bigint;
"
            ),
            start: format!(
                "        v_page := 0;
        v_pages := pg_relation_size({}) / current_setting('block_size')::int;
",
                self.relation(batches.table)
            ),
            more: "v_page < v_pages",
            next: format!(
                "            v_next := least(v_page + v_batch{stripes}, v_pages);\n{find}"
            ),
            after: "            v_page := v_next;\n".into(),
            rows: rows.into(),
            progress: format!(
                "format({}, v_page, v_pages)",
                self.literal(&format!("{}: page %s of %s", batches.what.replace('%', "%%")))
            ),
            told: (
                ", page % of %, about % left",
                ",
                    v_page, v_pages, date_trunc('second',
                        (clock_timestamp() - v_began) * ((v_pages - v_page)::float8 / v_page))",
            ),
            batch: (10, 1, 100, "pages"),
            few: "v_batch * v_stripes",
        }
    }

    pub(super) fn along_key(&self, batches: &Batches, columns: &[String]) -> Window {
        let table = &batches.from;
        let names: Vec<String> = columns.iter().map(|column| self.ident(column)).collect();
        let list = names.join(", ");
        let of = |record: &str| {
            let fields: Vec<String> = names.iter().map(|name| format!("{record}.{name}")).collect();
            row(&fields)
        };
        let key = row(&names);
        let down: Vec<String> = names.iter().map(|name| format!("{name} DESC")).collect();
        let (lo, hi, top) = (of("v_lo"), of("v_hi"), of("v_top"));
        let stripes = if batches.in_place { " * batches.v_stripes" } else { "" };
        let remaining = indent(self.dialect, &batches.remaining, 8);
        let deeper = indent(self.dialect, &batches.remaining, 12);
        Window {
            variables: "    v_lo record;            -- the window is v_lo <= the key <= v_hi
    v_hi record;
    v_top record;           -- the last key there is
"
            .into(),
            start: format!(
                "        SELECT {list} INTO v_top
        FROM {table}
        ORDER BY {down} LIMIT 1;
        SELECT {list} INTO v_lo
        FROM {table}
        WHERE {remaining}
        ORDER BY {list} LIMIT 1;
",
                down = down.join(", ")
            ),
            more: "v_lo IS NOT NULL",
            next: format!(
                "            SELECT {list} INTO v_hi
            FROM {table}
            WHERE {key} >= {lo} AND {key} <= {top}
            ORDER BY {list}
            OFFSET batches.v_batch{stripes} - 1 LIMIT 1;
            IF NOT FOUND THEN
                v_hi := v_top;
            END IF;
"
            ),
            after: format!(
                "            SELECT {list} INTO v_lo
            FROM {table}
            WHERE {key} > {hi} AND {key} <= {top}
                AND {deeper}
            ORDER BY {list} LIMIT 1;
",
            ),
            rows: format!("{key} >= {lo} AND {key} <= {hi}"),
            progress: format!(
                "format({}, v_done)",
                self.literal(&format!("{}: %s rows", batches.what.replace('%', "%%")))
            ),
            told: ("", ""),
            batch: (500, 100, 8000, "rows"),
            few: "v_batch",
        }
    }
}

/// `id`, or `(tenant, id)`.
fn row(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        several => format!("({})", several.join(", ")),
    }
}
