//! Whether a view reads a column.
//!
//! Enters: the text of a view, a table and a column. Leaves: no, only where that is certain: each name
//! of a column is qualified by something else than the table. Must not know: what else the view says.

use crate::source::Dialect;

use super::literal;
use super::text::lex;
use super::tokens::TokenKind;

/// Words that follow a table in FROM and are no other name of it.
const BEHIND: &[&str] = &[
    "cross",
    "except",
    "fetch",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "right",
    "tablesample",
    "union",
    "using",
    "where",
    "window",
    "with",
];

/// Words in front of a bracket that are no function.
const NO_FUNCTION: &[&str] =
    &["all", "and", "any", "as", "by", "exists", "from", "in", "join", "not", "on", "or", "using"];

pub fn view_reads(text: &str, table: &str, column: &str, dialect: Dialect) -> bool {
    let Some(tokens) = lex(text, dialect) else { return true };
    let one_case = |name: &str| match dialect {
        Dialect::Postgres => name.to_owned(),
        _ => name.to_lowercase(),
    };
    let (table, column) = (&*one_case(table), &*one_case(column));
    let names: Vec<String> = tokens
        .iter()
        .map(|token| {
            let raw = &text[token.range()];
            match token.kind {
                TokenKind::Word => literal::bare_name(raw, dialect).to_lowercase(),
                TokenKind::Quoted => one_case(&literal::quoted_name(raw, dialect)),
                _ => raw.to_owned(),
            }
        })
        .collect();
    let name = |at: Option<usize>| at.and_then(|at| names.get(at)).map_or("", String::as_str);
    let is_name = |at: usize| {
        tokens.get(at).is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::Quoted))
    };
    let mut aliases = vec![table];
    for at in (0..names.len()).filter(|at| is_name(*at) && names[*at] == table) {
        let behind = if name(Some(at + 1)) == "as" { at + 2 } else { at + 1 };
        if is_name(behind) && !BEHIND.contains(&name(Some(behind))) {
            aliases.push(&names[behind]);
        }
    }
    let of_table = |qualifier: &str| aliases.contains(&qualifier);
    names.iter().enumerate().any(|(at, own)| {
        let before = |back: usize| name(at.checked_sub(back));
        if own == "*" {
            let all = matches!(before(1), "select" | "distinct" | "all" | ",");
            return all || (before(1) == "." && of_table(before(2)));
        }
        if !is_name(at) {
            return false;
        }
        if own == "natural" {
            return true;
        }
        // A whole row, as a value or given to a function.
        let calls_table = before(1) == table || before(1) == "as";
        if of_table(own) && own != table && !calls_table && name(Some(at + 1)) != "." {
            return true;
        }
        let given = before(1) == "(" && at > 1 && is_name(at - 2);
        if of_table(own) && given && name(Some(at + 1)) != "." && !NO_FUNCTION.contains(&before(2))
        {
            return true;
        }
        let is_column = own == column && before(1) != "as" && name(Some(at + 1)) != "(";
        is_column && (before(1) != "." || of_table(before(2)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_tables_column_of_that_name_is_not_read() {
        for text in [
            "CREATE VIEW v AS SELECT a.id, b.x FROM a JOIN b ON b.id = a.id",
            "CREATE VIEW v AS SELECT z.id, b.x AS x FROM public.a z, b",
            "CREATE VIEW v AS SELECT count(*) AS n, 2 * a.id FROM a",
            "CREATE VIEW v AS SELECT a.id, b.* FROM a, b",
            "CREATE VIEW v AS SELECT x(a.id) FROM a",
        ] {
            assert!(!view_reads(text, "a", "x", Dialect::Postgres), "{text}");
        }
        for text in [
            "CREATE VIEW v AS SELECT a.id, x FROM a JOIN b ON b.id = a.id",
            "CREATE VIEW v AS SELECT z.x FROM public.a AS z",
            "CREATE VIEW v AS SELECT public.a.x FROM public.a",
            "CREATE VIEW v AS SELECT * FROM b, a",
            "CREATE VIEW v AS SELECT b.id, \"Z\".* FROM b, a \"Z\"",
            "CREATE VIEW v AS SELECT b.id FROM b JOIN a USING (x)",
            "CREATE VIEW v AS SELECT b.id FROM b NATURAL JOIN a",
            "CREATE VIEW v AS SELECT row_to_json(z) FROM a z",
            "CREATE VIEW v AS SELECT b.id, z FROM b, a AS z",
            "CREATE VIEW v AS SELECT 1 FROM ONLY a WHERE X > 1",
        ] {
            assert!(view_reads(text, "a", "x", Dialect::Postgres), "{text}");
        }
        let text = "CREATE VIEW v AS SELECT \"Z\".[X] FROM A \"z\"";
        assert!(view_reads(text, "a", "x", Dialect::Sqlite));
    }
}
