//! Built-in functions: does one give the same value again, and is it NULL only for NULL?
//!
//! A function that is not here counts as volatile and not strict: that costs a backfill where none
//! was needed, never a wrong value. PostgreSQL's rows are compared with `pg_proc` of every server
//! the engine tests run; SQLite's come from `lang_corefunc.html` and `lang_datefunc.html`.

use super::Dialect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    Immutable,
    /// The same within a statement: one value for all existing rows.
    Stable,
    Volatile,
}

#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    pub volatility: Volatility,
    /// NULL if and only if an argument is NULL.
    pub total: bool,
}

const fn total(name: &'static str) -> Function {
    Function { name, volatility: Volatility::Immutable, total: true }
}

const fn immutable(name: &'static str) -> Function {
    Function { name, volatility: Volatility::Immutable, total: false }
}

const fn stable(name: &'static str) -> Function {
    Function { name, volatility: Volatility::Stable, total: false }
}

pub const POSTGRES: &[Function] = &[
    total("abs"),
    total("ascii"),
    total("btrim"),
    total("ceil"),
    total("char_length"),
    total("character_length"),
    total("date_trunc"),
    total("floor"),
    total("initcap"),
    total("left"),
    total("length"),
    total("lower"),
    total("lpad"),
    total("ltrim"),
    total("md5"),
    total("octet_length"),
    total("repeat"),
    total("replace"),
    total("reverse"),
    total("right"),
    total("round"),
    total("rpad"),
    total("rtrim"),
    total("split_part"),
    total("strpos"),
    total("substr"),
    total("translate"),
    total("upper"),
    immutable("coalesce"),
    immutable("greatest"),
    immutable("least"),
    immutable("nullif"),
    immutable("regexp_replace"),
    stable("concat"),
    stable("concat_ws"),
    stable("current_date"),
    stable("current_setting"),
    stable("current_timestamp"),
    stable("current_user"),
    stable("localtime"),
    stable("localtimestamp"),
    stable("now"),
    stable("statement_timestamp"),
    stable("to_char"),
    stable("transaction_timestamp"),
];

pub const SQLITE: &[Function] = &[
    total("abs"),
    total("length"),
    total("lower"),
    total("ltrim"),
    total("replace"),
    total("rtrim"),
    total("substr"),
    total("trim"),
    total("upper"),
    immutable("coalesce"),
    immutable("hex"),
    immutable("ifnull"),
    immutable("iif"),
    immutable("instr"),
    immutable("nullif"),
    immutable("printf"),
    immutable("round"),
    stable("current_date"),
    stable("current_time"),
    stable("current_timestamp"),
    stable("date"),
    stable("datetime"),
    stable("julianday"),
    stable("strftime"),
    stable("unixepoch"),
];

/// They make one value of many rows, the same in whatever order the rows come; `sum` and `avg` of
/// floats apart.
const AGGREGATES: &[&str] = &["avg", "bool_and", "bool_or", "count", "every", "max", "min", "sum"];

/// With several arguments SQLite's `max` and `min` are plain functions.
pub fn is_aggregate(name: &str, arguments: usize) -> bool {
    arguments < 2 && AGGREGATES.contains(&name)
}

/// Whether it gives another value when it is called again for the same row.
pub fn varies(dialect: Dialect, name: &str) -> bool {
    tells_the_time(name)
        || function(dialect, name).is_none_or(|f| f.volatility == Volatility::Volatile)
}

/// Stable, and another value a moment later.
fn tells_the_time(name: &str) -> bool {
    name == "now"
        || ["current_date", "current_time", "localtime"].iter().any(|start| name.starts_with(start))
        || name.ends_with("_timestamp")
}

/// `None`: not known, so the worst is assumed.
pub fn function(dialect: Dialect, name: &str) -> Option<&'static Function> {
    let table = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
        Dialect::MySql | Dialect::MariaDb => return None,
    };
    // `trim(…)` in any of its forms is grammar for btrim, ltrim or rtrim, which are alike.
    let name = if dialect == Dialect::Postgres && name == "trim" { "btrim" } else { name };
    table.iter().find(|function| function.name == name)
}
