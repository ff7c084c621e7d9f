//! Conditions and predicates as SQL, and as sentences.

mod sqlite;

use crate::catalog::{Expr, TableName, integer_type};
use crate::dialect::{Dialect, Server, quote};
use crate::plan::condition::{Condition, Missing, Reason};

use super::predicate::{named, predicate};
use super::{Writer, indent, table};

/// A count of rows that should not be there: `SELECT count(*)` and the rest.
pub(super) struct Count {
    pub(super) select: String,
    /// Begins with a line feed: `FROM … WHERE …`.
    pub(super) from: String,
}

/// The count behind a condition on rows, for a variable to take.
pub(super) fn count(server: &Server, condition: &Condition) -> Option<Count> {
    match condition {
        Condition::NoRows { table: of, filter, .. } => Some(Count {
            select: "SELECT count(*)".into(),
            from: format!(
                "\nFROM {}\nWHERE {}",
                named(server, of, filter),
                predicate(server, filter)
            ),
        }),
        Condition::NoDuplicates { .. } => Some(Count {
            select: "SELECT count(*)".into(),
            from: format!(
                "\nFROM (\n    {}\n) duplicates",
                indent(server.dialect, &duplicates(server, condition), 4)
            ),
        }),
        _ => None,
    }
}

/// The groups of rows that share their keys.
fn duplicates(server: &Server, condition: &Condition) -> String {
    let Condition::NoDuplicates { table: of, keys, filter } = condition else {
        return String::new();
    };
    let writer = Writer { server, dialect: server.dialect, tells: false };
    let plain: Vec<crate::catalog::Key> = keys
        .iter()
        .map(|key| match key {
            crate::catalog::Key::Column { name, .. } => {
                crate::catalog::Key::Column { name: name.clone(), rest: None }
            }
            crate::catalog::Key::Expr(expr) => crate::catalog::Key::Expr(expr.clone()),
        })
        .collect();
    let list = writer.keys(&plain);
    let mut conditions: Vec<String> = plain
        .iter()
        .map(|key| format!("{} IS NOT NULL", writer.keys(std::slice::from_ref(key))))
        .collect();
    if let Some(Expr(filter)) = filter {
        conditions.insert(0, format!("({filter})"));
    }
    format!(
        "SELECT {list}\nFROM {}\nWHERE {}\nGROUP BY {list}\nHAVING count(*) > 1",
        table(server, of),
        conditions.join(" AND ")
    )
}

/// The condition as a boolean expression; may span lines.
pub(super) fn boolean(server: &Server, condition: &Condition) -> String {
    if server.dialect == Dialect::Sqlite {
        return sqlite::boolean(server, condition);
    }
    let literal = |text: &str| quote::literal(server.dialect, text);
    let relation = |of: &TableName| format!("{}::regclass", literal(&table(server, of)));
    let attribute = |of: &TableName, column: &str, more: &str| {
        format!(
            "EXISTS (\n    SELECT FROM pg_attribute\n    WHERE attrelid = {} AND attname = {}\n        AND NOT attisdropped{more}\n)",
            relation(of),
            literal(column)
        )
    };
    match condition {
        Condition::ColumnIs { table: of, column, ty, not_null } => {
            let required = if *not_null { "attnotnull" } else { "NOT attnotnull" };
            let (ty, modifier) = split_type(ty);
            let modifier = match modifier {
                Some(modifier) => format!(
                    "\n        AND substring(format_type(atttypid, atttypmod) FROM '\\(.*\\)') = {}",
                    literal(&modifier)
                ),
                None => " AND atttypmod = -1".to_owned(),
            };
            attribute(
                of,
                column,
                &format!(
                    "\n        AND atttypid = {}::regtype{modifier} AND {required}",
                    literal(&ty)
                ),
            )
        }
        Condition::ColumnExists { table: of, column } => attribute(of, column, ""),
        Condition::ColumnGone { table: of, column } => format!("NOT {}", attribute(of, column, "")),
        Condition::ColumnNotNull { table: of, column } => attribute(of, column, " AND attnotnull"),
        Condition::ColumnOptional { table: of, column } => {
            attribute(of, column, " AND NOT attnotnull")
        }
        Condition::SyncOn { table: of, name, .. } => format!(
            "EXISTS (\n    SELECT FROM pg_trigger\n    WHERE tgrelid = {} AND tgname = {}\n        AND tgenabled IN ('O', 'A')\n)",
            relation(of),
            literal(name)
        ),
        Condition::SyncGone { table: of, name } => format!(
            "NOT EXISTS (\n    SELECT FROM pg_trigger\n    WHERE tgrelid = {} AND tgname = {}\n)",
            relation(of),
            literal(name)
        ),
        Condition::IndexValid { table: of, name, .. } => {
            let index = TableName { schema: of.schema.clone(), name: name.clone() };
            format!(
                "EXISTS (\n    SELECT FROM pg_index\n    WHERE indexrelid = to_regclass({}) AND indisvalid\n)",
                literal(&table(server, &index))
            )
        }
        Condition::IndexGone { table: of, name } => {
            let index = TableName { schema: of.schema.clone(), name: name.clone() };
            format!("to_regclass({}) IS NULL", literal(&table(server, &index)))
        }
        // A view may have the name as well.
        Condition::TableExists { table: of } => format!(
            "EXISTS (\n    SELECT FROM pg_class\n    WHERE oid = to_regclass({}) AND relkind IN ('r', 'p')\n)",
            literal(&table(server, of))
        ),
        // No table is made anew there.
        Condition::TableHas { .. } => "true".into(),
        Condition::NameFree { name } => {
            format!("to_regclass({}) IS NULL", literal(&table(server, name)))
        }
        Condition::StandIn { name } => format!(
            "EXISTS (\n    SELECT FROM pg_class\n    WHERE oid = to_regclass({}) AND relkind = 'v'\n)",
            literal(&table(server, name))
        ),
        Condition::NoRowSecurity { table: of } => format!(
            "NOT EXISTS (\n    SELECT FROM pg_class\n    WHERE oid = {} AND relrowsecurity\n)",
            relation(of)
        ),
        Condition::NothingNew { table: of, column, names } => {
            let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
            let new = match names.as_slice() {
                [] => "IS NOT NULL".to_owned(),
                names => format!("NOT IN ({})", names.join(", ")),
            };
            format!(
                "NOT EXISTS (
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
    WHERE attrelid = {} AND attname = {}
        AND coalesce(c.conname, i.relname, p.oid::text::name) {new}
)",
                relation(of),
                literal(column),
            )
        }
        Condition::ReadCommitted => {
            "current_setting('transaction_isolation') = 'read committed'".into()
        }
        Condition::RowsVisible { table: of } => {
            format!("NOT row_security_active({})", literal(&table(server, of)))
        }
        Condition::DefaultFits { table: of, column, ty, default, check, .. } => format!(
            "NOT EXISTS (\n    SELECT FROM (SELECT CAST({} AS {ty}) AS {}) AS {}\n    WHERE NOT ({})\n)",
            default.0,
            quote::ident(server.dialect, column),
            quote::ident(server.dialect, &of.name),
            indent(server.dialect, &check.0, 4)
        ),
        Condition::ConstraintOn { table: of, name, columns } => {
            let columns: Vec<String> = columns.iter().map(|column| literal(column)).collect();
            format!(
                "NOT EXISTS (\n    SELECT FROM pg_constraint\n    WHERE conrelid = {} AND conname = {}\n        \
                 AND ARRAY(\n            SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (num, at)\n            \
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = num\n            ORDER BY at\n        \
                 ) <> ARRAY[{}]\n)",
                relation(of),
                literal(name),
                columns.join(", ")
            )
        }
        Condition::ConstraintValid { table: of, name } => format!(
            "EXISTS (\n    SELECT FROM pg_constraint\n    WHERE conrelid = {} AND conname = {} AND convalidated\n)",
            relation(of),
            literal(name)
        ),
        Condition::NoRows { .. } | Condition::NoDuplicates { .. } => no_rows(server, condition),
        Condition::NotBefore { date, .. } => format!("now() >= {}", literal(&date.to_string())),
    }
}

fn no_rows(server: &Server, condition: &Condition) -> String {
    match condition {
        Condition::NoRows { table: of, filter, .. } => format!(
            "NOT EXISTS (\n    SELECT 1 FROM {}\n    WHERE {}\n)",
            named(server, of, filter),
            predicate(server, filter)
        ),
        _ => format!(
            "NOT EXISTS (\n    {}\n)",
            indent(server.dialect, &duplicates(server, condition), 4)
        ),
    }
}

/// The refusal where a condition does not hold. A leading `%` stands for a number of rows.
pub(super) fn message(condition: &Condition) -> String {
    let missing = |what: &str, missing: &Missing| match missing {
        Missing::RunStepBefore => format!("{what} is missing: run the step before this one first"),
        Missing::RunAgain => format!("{what} is missing or invalid: run this again"),
        Missing::Finish(deploy) => {
            format!("{what} is missing: finish deploy {deploy} on this database first")
        }
    };
    match condition {
        Condition::ColumnIs { table, column, ty, not_null } => {
            let not_null = if *not_null { " NOT NULL" } else { ", or NOT NULL by now" };
            format!("{}.{column} is not {ty}{not_null}: plan this change again", table.name)
        }
        Condition::ColumnExists { table, column } => format!("{}.{column} is missing", table.name),
        Condition::ColumnGone { table, column } => {
            format!("{}.{column} is still there", table.name)
        }
        Condition::ColumnNotNull { table, column } => {
            format!("{}.{column} may still be NULL", table.name)
        }
        Condition::ColumnOptional { table, column } => format!(
            "{}.{column} is required by a way back that was begun: go on with that, then come again",
            table.name
        ),
        Condition::SyncOn { name, missing: what, .. } => missing(name, what),
        Condition::SyncGone { name, .. } => format!("{name} is still there"),
        Condition::IndexValid { name, missing: what, .. } => missing(name, what),
        Condition::IndexGone { name, .. } => format!("{name} is still there"),
        Condition::TableExists { table } => format!("the table {} is missing", table.name),
        Condition::TableHas { table, .. } => format!(
            "{} has other columns, indexes or triggers than this was planned for: plan it again",
            table.name
        ),
        Condition::NameFree { name } => format!("{} is still there", name.name),
        Condition::StandIn { name } => format!("the view {} is missing", name.name),
        Condition::NoRowSecurity { table } => format!(
            "{} has row-level security, which a view would pass by: use --downtime",
            table.name
        ),
        Condition::NothingNew { table, column, .. } => format!(
            "an index, a key, a view or a publication came upon {}.{column} since this was planned: it would not come along",
            table.name
        ),
        Condition::ReadCommitted => {
            "run this at READ COMMITTED: else rows that are written while it waits for its lock stay as they are"
                .into()
        }
        Condition::RowsVisible { table } => format!(
            "policies may keep rows of {} from this role: use one that has BYPASSRLS",
            table.name
        ),
        Condition::DefaultFits { column, default, name, .. } => {
            format!(
                "the default of {column}, {}, breaks {name}: every INSERT without it would fail",
                default.0
            )
        }
        Condition::ConstraintOn { name, .. } => {
            format!("{name} is a constraint on other columns: plan this change again")
        }
        Condition::ConstraintValid { name, .. } => format!("{name} is not valid"),
        Condition::NoRows { table, reason, .. } => match reason {
            Reason::Left => {
                format!("rows of {} are not filled: run the backfill again", table.name)
            }
            Reason::JobLeft { file } => {
                format!("rows of {} are not done: run {file} of the rollout first", table.name)
            }
            Reason::NotKept { archive } => format!(
                "rows of {} are not in {archive}: run the step before this one again",
                table.name
            ),
            Reason::OutOfStep => {
                format!("rows of {} are out of step: see the runbook", table.name)
            }
            Reason::DoesNotFit { ty } => format!(
                "rows of {} hold what {ty} cannot give back: mend them first, or say USING and a `back` hint",
                table.name
            ),
            Reason::Violates { name } => {
                format!("rows of {} do not fulfil {name}: mend them first", table.name)
            }
            Reason::Orphans { parent } => format!(
                "rows of {} point at no row of {}: mend them first",
                table.name, parent.name
            ),
            Reason::NoValue { column } => {
                format!("rows of {} have no value for {column}: give them one first", table.name)
            }
        },
        Condition::NoDuplicates { table, .. } => format!(
            "values of {} stand in several rows: see the pre-checks in the runbook",
            table.name
        ),
        Condition::NotBefore { date, what } => {
            format!("{what} is kept until {date}: leave this for a later release")
        }
    }
}

/// Queries for people: each says what to expect, and answers in a column `ok`.
pub fn verification(server: &Server, conditions: &[Condition]) -> Vec<String> {
    let mut queries = Vec::new();
    let catalog: Vec<String> = conditions
        .iter()
        .filter(|condition| !condition.reads_rows())
        .map(|condition| indent(server.dialect, &boolean(server, condition), 4))
        .collect();
    if !catalog.is_empty() {
        queries.push(format!("SELECT\n    {} AS ok", catalog.join("\n    AND ")));
    }
    for condition in conditions {
        if let Some(count) = count(server, condition) {
            let name = match condition {
                Condition::NoRows { reason: Reason::Left | Reason::NotKept { .. }, .. } => {
                    "rows_left"
                }
                Condition::NoRows { reason: Reason::OutOfStep, .. } => "out_of_step",
                _ => "rows",
            };
            queries.push(format!("SELECT count(*) = 0 AS ok, count(*) AS {name}{}", count.from));
        }
    }
    queries
}

/// What a verification should show, in words.
pub fn expectation(server: &Server, conditions: &[Condition]) -> String {
    let truth = if server.dialect == Dialect::Sqlite { "1" } else { "t" };
    let rows = conditions.iter().find_map(|condition| match condition {
        Condition::NoRows { reason: Reason::Left | Reason::NotKept { .. }, .. } => {
            Some("rows_left")
        }
        Condition::NoRows { reason: Reason::OutOfStep, .. } => Some("out_of_step"),
        _ => None,
    });
    match rows {
        Some(name) => format!("ok = {truth}, {name} = 0"),
        None => format!("ok = {truth}"),
    }
}

/// `character varying(255)` → its name for `regtype`, and the modifier.
fn split_type(ty: &str) -> (String, Option<String>) {
    match (ty.find('('), ty.rfind(')')) {
        (Some(open), Some(close)) if open < close => {
            let rest = &ty[close + 1..];
            (format!("{}{rest}", ty[..open].trim_end()), Some(ty[open..=close].replace(' ', "")))
        }
        _ => {
            let lower = ty.to_ascii_lowercase();
            if matches!(lower.as_str(), "char" | "character" | "bit") {
                return (ty.to_owned(), Some("(1)".into()));
            }
            // A serial is an integer with a default.
            (integer_type(ty).to_owned(), None)
        }
    }
}
