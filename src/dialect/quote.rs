//! Names and literals as SQL text: the only place that quotes.

use super::Dialect;

/// Words that no server here takes bare as a column or table name. PostgreSQL: categories R, T and C
/// of `pg_get_keywords()`, 12 to 18 together; SQLite: `lang_keywords.html`. One list for all, for a
/// quoted name is never wrong.
const RESERVED: &[&str] = &[
    "abort",
    "action",
    "add",
    "after",
    "all",
    "alter",
    "always",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "attach",
    "authorization",
    "autoincrement",
    "before",
    "begin",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "by",
    "cascade",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "database",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exclusive",
    "exists",
    "explain",
    "extract",
    "fail",
    "false",
    "fetch",
    "filter",
    "first",
    "float",
    "following",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "generated",
    "glob",
    "grant",
    "greatest",
    "group",
    "grouping",
    "groups",
    "having",
    "if",
    "ignore",
    "ilike",
    "immediate",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "inout",
    "insert",
    "instead",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "key",
    "last",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "match",
    "materialized",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "no",
    "none",
    "normalize",
    "not",
    "nothing",
    "notnull",
    "null",
    "nullif",
    "nulls",
    "numeric",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "others",
    "out",
    "outer",
    "over",
    "overlaps",
    "overlay",
    "partition",
    "placing",
    "plan",
    "position",
    "pragma",
    "preceding",
    "precision",
    "primary",
    "query",
    "raise",
    "range",
    "real",
    "recursive",
    "references",
    "regexp",
    "reindex",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "right",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "select",
    "session_user",
    "set",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "temp",
    "temporary",
    "then",
    "ties",
    "time",
    "timestamp",
    "to",
    "trailing",
    "transaction",
    "treat",
    "trigger",
    "trim",
    "true",
    "unbounded",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "vacuum",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "view",
    "virtual",
    "when",
    "where",
    "window",
    "with",
    "within",
    "without",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// `CREATE INDEX`, for a hint; PostgreSQL alone makes up a name.
pub fn create_index(dialect: Dialect, table: &str, columns: &[&str]) -> String {
    let name = match dialect {
        Dialect::Postgres => String::new(),
        _ => format!(" {}", ident(dialect, &format!("{table}_{}_idx", columns.join("_")))),
    };
    let columns: Vec<String> = columns.iter().map(|column| ident(dialect, column)).collect();
    format!("CREATE INDEX{name} ON {} ({})", ident(dialect, table), columns.join(", "))
}

/// A name, quoted only where the server would not read it back as it is.
pub fn ident(dialect: Dialect, name: &str) -> String {
    let mut chars = name.chars();
    let bare = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && RESERVED.binary_search(&name).is_err();
    if bare {
        return name.to_owned();
    }
    match dialect {
        Dialect::MySql | Dialect::MariaDb => format!("`{}`", name.replace('`', "``")),
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A string literal with the value `text`.
pub fn literal(dialect: Dialect, text: &str) -> String {
    let doubled = text.replace('\'', "''");
    match dialect {
        // The plain form does not read backslashes since standard_conforming_strings is on.
        Dialect::Postgres | Dialect::Sqlite => format!("'{doubled}'"),
        Dialect::MySql | Dialect::MariaDb => format!("'{}'", doubled.replace('\\', "\\\\")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_list_can_be_searched() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn names_are_quoted_only_where_needed() {
        let pg = |name| ident(Dialect::Postgres, name);
        assert_eq!(pg("users"), "users");
        assert_eq!(pg("order"), "\"order\"");
        assert_eq!(pg("Users"), "\"Users\"");
        assert_eq!(pg("a b"), "\"a b\"");
        assert_eq!(pg("a\"b"), "\"a\"\"b\"");
        assert_eq!(pg("1a"), "\"1a\"");
        assert_eq!(pg(""), "\"\"");
        assert_eq!(ident(Dialect::MySql, "a`b"), "`a``b`");
    }

    #[test]
    fn literals_keep_their_value() {
        assert_eq!(literal(Dialect::Postgres, "it's \\ so"), "'it''s \\ so'");
        assert_eq!(literal(Dialect::MySql, "a\\'b"), "'a\\\\''b'");
    }
}
