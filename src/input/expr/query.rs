//! What an expression names, query by query: who a name belongs to depends on where it stands.
//!
//! Enters: the text of one expression. Leaves: a tree of [`Scope`]s, or what in it has no such
//! tree. Must not know: which tables and columns there are.

mod reader;

use std::ops::Range;

use crate::source::Dialect;

use super::{lexemes, parsed};

/// One level of names: the expression itself, or a query inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    pub role: Role,
    pub tables: Vec<FromTable>,
    /// Columns named at this level, in order of appearance.
    pub names: Vec<Name>,
    /// Conditions that every row fulfils.
    pub equalities: Vec<Equality>,
    /// Columns that are NULL in every row.
    pub nulls: Vec<Name>,
    pub functions: Vec<Called>,
    /// What the first value of a row is.
    pub value: Projected,
    /// Columns in the values of a row.
    pub valued: Vec<Name>,
    /// Names that the query gives to its values.
    pub aliases: Vec<String>,
    pub ordered_by: Vec<Name>,
    pub limited: bool,
    pub grouped: bool,
    pub scopes: Vec<Scope>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// The expression.
    #[default]
    Outermost,
    /// `(SELECT …)` as a value.
    Value,
    Exists,
    /// `IN (SELECT …)` that every row fulfils: a join, in other words.
    Member,
    /// Any other `IN (SELECT …)`, `= ANY (SELECT …)`.
    Set,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromTable {
    pub schema: Option<String>,
    pub name: String,
    pub alias: Option<String>,
    pub at: Range<usize>,
}

/// A column as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub qualifier: Option<String>,
    pub column: String,
    pub at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// In lower case, without schema.
    pub name: String,
    pub arguments: usize,
    /// Columns in the arguments.
    pub names: Vec<Name>,
    pub at: Range<usize>,
}

/// `column = other`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equality {
    pub column: Name,
    pub other: Other,
    /// It stands in a LEFT JOIN, and holds for rows of that table only: its place in `tables`.
    pub only: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Other {
    Column(Name),
    Literal,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Projected {
    Column(Name),
    /// A call of one plain column, or of `*`.
    Call(String, Option<Name>),
    #[default]
    Other,
}

/// A form whose names have no plain scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// "a subquery with UNION"
    pub what: &'static str,
    pub at: Option<Range<usize>>,
}

/// `None` for what is not understood.
pub fn scopes(text: &str, dialect: Dialect) -> Option<Result<Scope, Unfit>> {
    lexemes(text, dialect)?;
    parsed(text, dialect, |expr| reader::read(expr, text, dialect))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Scope {
        scopes(text, Dialect::Postgres).expect("understood").expect("plain")
    }

    fn named(names: &[Name], text: &str) -> Vec<String> {
        names.iter().map(|name| text[name.at.clone()].to_owned()).collect()
    }

    #[test]
    fn names_stand_at_their_level() {
        let text = "lower(a) || (SELECT c.\"Plan\"\n FROM s.customers AS c, plans\n\
                    WHERE é = c.id AND x IN (SELECT y FROM z WHERE b > 1) ORDER BY c.n LIMIT 1)";
        let outer = read(text);
        assert_eq!(named(&outer.names, text), ["a"]);
        let [query] = outer.scopes.as_slice() else { panic!("{outer:?}") };
        assert_eq!(query.role, Role::Value);
        assert_eq!(named(&query.names, text), ["c.\"Plan\"", "é", "c.id", "x", "c.n"]);
        let tables: Vec<_> =
            query.tables.iter().map(|t| (t.name.as_str(), t.alias.as_deref())).collect();
        assert_eq!(tables, [("customers", Some("c")), ("plans", None)]);
        assert_eq!(query.equalities.len(), 2);
        assert_eq!(named(&query.ordered_by, text), ["c.n"]);
        assert!(query.limited);
        assert_eq!(query.scopes[0].role, Role::Member);
        assert_eq!(named(&query.scopes[0].names, text), ["y", "b"]);
    }

    #[test]
    fn joins_say_what_is_equal() {
        let query = &read(
            "(SELECT max(p.x) FROM c JOIN p ON p.id = c.p LEFT JOIN q ON (q.id = c.q AND q.a > 1) \
             WHERE NOT c.z = 1 AND c.k = 'x')",
        )
        .scopes[0];
        let pairs: Vec<_> =
            query.equalities.iter().map(|e| (e.column.column.as_str(), e.only)).collect();
        assert_eq!(
            pairs,
            [("id", None), ("p", None), ("id", Some(2)), ("q", Some(2)), ("k", None)]
        );
        assert!(matches!(&query.value, Projected::Call(name, Some(_)) if name == "max"));
    }

    #[test]
    fn what_has_no_plain_scopes_is_named() {
        for (text, what) in [
            ("(SELECT a FROM t UNION SELECT b FROM u)", "UNION"),
            ("(WITH x AS (SELECT 1) SELECT a FROM x)", "WITH"),
            ("(SELECT a FROM (SELECT 1 AS a) x)", "something else than a table"),
            ("(SELECT a FROM generate_series(1, 2) a)", "something else than a table"),
            ("(SELECT a FROM t JOIN u USING (id))", "USING"),
            ("(SELECT a FROM t FULL JOIN u ON t.a = u.a)", "kind of JOIN"),
            ("(SELECT * FROM t)", "a whole row"),
            ("(SELECT t.* FROM t)", "a whole row"),
            ("(SELECT count(t.*) FROM t)", "a whole row"),
            ("(SELECT a FROM t LIMIT 2)", "LIMIT"),
            ("(SELECT a FROM t FOR UPDATE)", "FOR"),
            ("(SELECT row_number() OVER () FROM t)", "window"),
            ("(SELECT DISTINCT ON (a) b FROM t)", "this form"),
            ("ARRAY(SELECT a FROM t)", "in this place"),
            ("(SELECT s.t.a FROM s.t)", "more than two parts"),
            ("(SELECT $1)", "a parameter"),
        ] {
            let unfit =
                scopes(text, Dialect::Postgres).map(|read| read.map_err(|unfit| unfit.what));
            let said = unfit.expect(text).expect_err(text);
            assert!(said.contains(what), "{text}: {said}");
        }
        assert!(scopes("EXISTS (SELECT * FROM t)", Dialect::Postgres).unwrap().is_ok());
        assert!(scopes("EXISTS (SELECT FROM t)", Dialect::Postgres).unwrap().is_ok());
        assert!(scopes("(SELECT a FROM", Dialect::Postgres).is_none());
    }
}
