//! PostgreSQL, by squawk-syntax.

use std::collections::BTreeSet;

use miggen::input::ast::{Kind, Slice};
use miggen::input::read;
use miggen::source::{Dialect, Source, Span};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use super::join;
use super::slices::{Slices, spans};
use crate::support::{POSTGRES, Random, statements_of};

/// Statements of the list about which squawk is wrong: it takes what PostgreSQL refuses, or the
/// other way round.
const SQUAWK_IS_WRONG: &[&str] = &[
    "CREATE TABLE t (a int NOT NULL NOT VALID);",
    "ALTER TABLE t ADD COLUMN a int REFERENCES u (id) ON DELETE CASCADE NOT VALID;",
    "CREATE TABLE t (room int, during tsrange, CONSTRAINT e EXCLUDE USING gist (room gist_int4_ops WITH OPERATOR(pg_catalog.=), during WITH &&) DEFERRABLE INITIALLY DEFERRED);",
];

/// A type that PostgreSQL knows in functions only.
const REFUSED: &str = "CREATE TABLE t (a s.mytype DEFAULT 'x'::s.mytype, b tbl.col%TYPE);";
fn span(node: &SyntaxNode) -> Span {
    let range = node.text_range();
    Span::new(range.start().into(), range.end().into())
}

/// The expressions below nodes of one kind.
fn expressions<N: AstNode>(
    root: &SyntaxNode,
    of: impl Fn(N) -> Option<ast::Expr>,
) -> BTreeSet<Span> {
    root.descendants().filter_map(N::cast).filter_map(of).map(|expr| span(expr.syntax())).collect()
}

fn agrees_with_postgres(written: &str) {
    let source = Source::new("statement.sql", written);
    let statements = read(&source, Dialect::Postgres).expect("a statement");
    assert_eq!(statements.len(), 1, "{written}");
    let statement = &statements[0];
    let parse = SourceFile::parse(written);
    assert_eq!(parse.errors(), [], "{written}");
    let root = parse.syntax_node();
    let tree = parse.tree();
    let theirs: Vec<Span> = tree.stmts().map(|stmt| span(stmt.syntax())).collect();
    assert_eq!(theirs.len(), 1, "{written}");
    let slices = Slices::of(statement);
    let exactly = |ours: &[Slice<'_>], theirs: BTreeSet<Span>, what: &str| {
        assert_eq!(spans(ours), theirs, "{what} of {written}");
    };
    if matches!(statement.kind, Kind::CreateTable(_) | Kind::AlterTable(_)) {
        exactly(
            &slices.defaults,
            expressions(&root, |node: ast::DefaultConstraint| node.expr()),
            "defaults",
        );
        exactly(
            &slices.checks,
            expressions(&root, |node: ast::CheckConstraint| node.expr()),
            "checks",
        );
    }
    // A key that is a plain column is a name to them, everything else an expression.
    let every: BTreeSet<Span> = root.descendants().map(|node| span(&node)).collect();
    for slice in slices.generated.iter().chain(&slices.others) {
        assert!(every.contains(&slice.span()), "`{}` of {written}", slice.text);
    }
    let types: BTreeSet<Span> =
        root.descendants().filter_map(ast::Type::cast).map(|ty| span(ty.syntax())).collect();
    for slice in &slices.types {
        assert!(types.contains(&slice.span()), "type `{}` of {written}", slice.text);
    }
}

#[test]
fn postgres_features_agree_with_squawk() {
    for written in statements_of(POSTGRES) {
        if written != REFUSED && !SQUAWK_IS_WRONG.contains(&written.as_str()) {
            agrees_with_postgres(&written);
        }
    }
}
const POSTGRES_TYPES: &[&str] = &[
    "int",
    "integer[]",
    "int[3][4]",
    "int ARRAY[4]",
    "bigserial",
    "numeric(10, 2)",
    "text[]",
    "character varying(20)",
    "timestamp(3) with time zone",
    "timestamp without time zone",
    "time(3)",
    "interval year to month",
    "interval(3)",
    "interval second(2)",
    "double precision",
    "\"char\"",
    "public.my_type(3)",
    "s.\"My Type\"[]",
    "bit varying(5)",
    "national character(3)",
    "bit(3)",
    "timestamptz",
    "geometry(Point, 4326)",
    "varchar",
];

const POSTGRES_EXPRESSIONS: &[&str] = &[
    "1",
    "-1",
    "'x''y'",
    "E'it\\'s'",
    "$$a, b)$$",
    "NULL",
    "true",
    "now()",
    "CURRENT_TIMESTAMP",
    "CURRENT_TIMESTAMP(3)",
    "nextval('s.seq'::regclass)",
    "'{}'::text[]",
    "ARRAY['a', 'b']::text[]",
    "(a + b)",
    "(1)",
    "1 + 2 * 3",
    "'1 day'::interval",
    "interval '1' day",
    "a || 'x' || b",
    "CASE WHEN a IS NOT NULL THEN 1 ELSE 2 END",
    "(now() AT TIME ZONE 'utc')::text",
    "a[1]",
    "t.a",
    "coalesce(a, b, ',')",
    "'x'::character varying",
    "now()::timestamp without time zone",
    "((data ->> 'x'::text))::int",
    "B'101'",
    "U&'\\0041'",
    "f(VARIADIC ARRAY[1, 2])",
    "\"Check\"",
    "date '2020-01-01'",
    "(SELECT 1)",
    "row(1, 2)",
    "1::numeric(10, 2)",
    "(a).b",
];

const POSTGRES_CONDITIONS: &[&str] = &[
    "a > 0",
    "a IS NOT NULL AND b <> ''",
    "a BETWEEN 1 AND 10 OR a IN (1, 2)",
    "NOT (a IS NULL)",
    "a ~ '^[a-z]+$'",
    "a IS DISTINCT FROM b",
    "a = ANY (ARRAY['x'::text, 'y'::text])",
    "f(a)",
    "(a, b) = (1, 2)",
    "a ? 'x' AND b @> '{}'",
    "length(a) < 10",
    "deleted_at IS NULL",
    "true",
    "a LIKE 'x%' ESCAPE '!'",
    "CASE WHEN a THEN b ELSE c END",
    "EXISTS (SELECT 1 FROM u)",
];

fn postgres_column(random: &mut Random) -> String {
    let mut words = vec![random.pick(&["a", "\"B c\"", "été", "comment", "key", "value"])];
    words.push(random.pick(POSTGRES_TYPES));
    let condition = format!("({})", random.pick(POSTGRES_CONDITIONS));
    let expression = random.pick(POSTGRES_EXPRESSIONS);
    for _ in 0..random.below(4) {
        match random.below(9) {
            0 => words.push("NOT NULL"),
            1 if !words.contains(&"DEFAULT") => words.extend(["DEFAULT", expression]),
            2 => words.extend(["CHECK", &condition]),
            3 => words.extend(["CONSTRAINT", "c", "CHECK", &condition, "NO INHERIT"]),
            4 => words.extend(["REFERENCES", "u", "(id)", "ON DELETE SET NULL", "DEFERRABLE"]),
            5 => words.extend(["UNIQUE", "NULLS NOT DISTINCT"]),
            // squawk takes a COLLATE behind a default for a part of it, the server does not.
            6 if !words.contains(&"COLLATE") && !words.contains(&"DEFAULT") => {
                words.extend(["COLLATE", "\"C\""]);
            }
            7 if !words.contains(&"GENERATED") => {
                words.extend(["GENERATED", "ALWAYS", "AS", &condition, "STORED"]);
            }
            _ => words.extend(["PRIMARY", "KEY"]),
        }
    }
    join(random, &words)
}

fn postgres_statement(random: &mut Random) -> String {
    let condition = random.pick(POSTGRES_CONDITIONS);
    let expression = random.pick(POSTGRES_EXPRESSIONS);
    match random.below(6) {
        0 | 1 => {
            let mut elements: Vec<String> =
                (0..=random.below(4)).map(|_| postgres_column(random)).collect();
            let check = format!("CHECK ({condition})");
            elements.push(random.pick(&[check.as_str(), "UNIQUE (a, b) INCLUDE (c)", "CONSTRAINT x FOREIGN KEY (a) REFERENCES s.u (b) MATCH FULL ON UPDATE CASCADE", "EXCLUDE USING gist (a WITH &&) WHERE (b > 0)"]).to_owned());
            let elements = format!("({})", elements.join(random.pick(&[",", ", ", "\n,"])));
            let tail = random.pick(&[
                "",
                "INHERITS (p)",
                "PARTITION BY RANGE (a, lower(b))",
                "WITH (fillfactor = 70) TABLESPACE ts",
            ]);
            join(random, &["CREATE", "TABLE", "s.t", &elements, tail])
        }
        2 => {
            let column = postgres_column(random);
            join(random, &["ALTER", "TABLE", "t", "ADD", "COLUMN", &column, ",", "DROP", "b"])
        }
        3 => {
            let ty = random.pick(POSTGRES_TYPES);
            join(
                random,
                &[
                    "ALTER TABLE ONLY t ALTER",
                    "a",
                    "TYPE",
                    ty,
                    "USING",
                    expression,
                    ", ALTER b SET DEFAULT",
                    expression,
                ],
            )
        }
        4 => {
            let key = random.pick(&[
                "a",
                "lower(a) text_pattern_ops",
                "(a || b) COLLATE \"C\" DESC NULLS LAST",
                "\"B c\" DESC",
                "(a)",
                "a gist_trgm_ops (siglen=32)",
            ]);
            let keys = format!("({key}, b)");
            join(
                random,
                &[
                    "CREATE UNIQUE INDEX",
                    "i",
                    "ON",
                    "t",
                    "USING",
                    "btree",
                    &keys,
                    "INCLUDE (c)",
                    "WHERE",
                    condition,
                ],
            )
        }
        _ => join(
            random,
            &[
                "UPDATE", "t", "SET", "a", "=", expression, ",", "b", "=", expression, "FROM u",
                "WHERE", condition,
            ],
        ),
    }
}

#[test]
fn generated_postgres_agrees_with_squawk() {
    let mut random = Random::new(20_261_121);
    for _ in 0..2_000 {
        agrees_with_postgres(&format!("{};", postgres_statement(&mut random)));
    }
}
