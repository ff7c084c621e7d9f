//! The servers' own grammars agree: each piece is one statement, each slice is the expression that
//! stands there. squawk-syntax reads PostgreSQL, sqlite3-parser reads SQLite.

use std::collections::BTreeSet;

use miggen::input::ast::{
    AlterKind, ColumnConstraintKind, ColumnDef, IndexKey, Kind, Slice, Statement,
    TableConstraintKind,
};
use miggen::input::read;
use miggen::source::{Dialect, Source, Span};
use sqlite3_parser::ast::{
    AlterTableBody, Cmd, ColumnConstraint, ColumnDefinition, CreateTableBody, Stmt, TableConstraint,
};
use sqlite3_parser::lexer::sql::Parser;
use sqlite3_parser::{Bump, FallibleIterator as _};
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use crate::support::{POSTGRES, Random, SQLITE, statements_of};

/// Statements of the list about which squawk is wrong: it takes what PostgreSQL refuses, or the
/// other way round.
const SQUAWK_IS_WRONG: &[&str] = &[
    "CREATE TABLE t (a int NOT NULL NOT VALID);",
    "ALTER TABLE t ADD COLUMN a int REFERENCES u (id) ON DELETE CASCADE NOT VALID;",
    "CREATE TABLE t (room int, during tsrange, CONSTRAINT e EXCLUDE USING gist (room gist_int4_ops WITH OPERATOR(pg_catalog.=), during WITH &&) DEFERRABLE INITIALLY DEFERRED);",
];

/// A type that PostgreSQL knows in functions only.
const REFUSED: &str = "CREATE TABLE t (a s.mytype DEFAULT 'x'::s.mytype, b tbl.col%TYPE);";

/// Expressions we cut from a statement, and where they stood.
#[derive(Default)]
struct Slices<'a> {
    defaults: Vec<Slice<'a>>,
    checks: Vec<Slice<'a>>,
    generated: Vec<Slice<'a>>,
    /// Predicates, USING, new defaults, assignments.
    others: Vec<Slice<'a>>,
    types: Vec<Slice<'a>>,
}

impl<'a> Slices<'a> {
    fn of(statement: &Statement<'a>) -> Slices<'a> {
        let mut slices = Slices::default();
        match &statement.kind {
            Kind::CreateTable(table) => {
                table.columns.iter().for_each(|column| slices.column(column));
                for constraint in &table.constraints {
                    slices.constraint(&constraint.kind);
                }
            }
            Kind::AlterTable(alter) => {
                for action in &alter.actions {
                    match &action.kind {
                        AlterKind::AddColumn { column, .. } => slices.column(column),
                        AlterKind::AddConstraint(constraint) => slices.constraint(&constraint.kind),
                        AlterKind::SetDefault { expr, .. } => slices.others.push(*expr),
                        AlterKind::SetType { ty, using, .. } => {
                            slices.types.push(*ty);
                            slices.others.extend(*using);
                        }
                        _ => {}
                    }
                }
            }
            Kind::CreateIndex(index) => {
                slices.others.extend(index.filter);
                slices.keys(&index.keys);
            }
            Kind::Delete(delete) => slices.others.extend(delete.filter),
            Kind::Update(update) => {
                slices.others.extend(update.filter);
                if update.set.iter().all(|set| set.columns.len() == 1) {
                    slices.others.extend(update.set.iter().map(|set| set.expr));
                }
            }
            _ => {}
        }
        slices
    }

    fn column(&mut self, column: &ColumnDef<'a>) {
        self.types.extend(column.ty);
        for constraint in &column.constraints {
            match &constraint.kind {
                ColumnConstraintKind::Default(expr) => self.defaults.push(*expr),
                ColumnConstraintKind::Check { expr, .. } => self.checks.push(*expr),
                ColumnConstraintKind::Generated { expr, .. } => self.generated.push(*expr),
                _ => {}
            }
        }
    }

    fn constraint(&mut self, kind: &TableConstraintKind<'a>) {
        match kind {
            TableConstraintKind::Check { expr, .. } => self.checks.push(*expr),
            TableConstraintKind::PrimaryKey { columns, .. }
            | TableConstraintKind::Unique { columns, .. } => self.keys(columns),
            _ => {}
        }
    }

    /// What of a key stands in front of its order and operator class.
    fn keys(&mut self, keys: &[IndexKey<'a>]) {
        for key in keys {
            let end = key.rest.map_or(key.text.span().end, |rest| rest.start);
            let text = key.text.text[..end - key.text.start].trim_end();
            self.others.push(Slice { text, ..key.text });
        }
    }
}

fn spans(slices: &[Slice<'_>]) -> BTreeSet<Span> {
    slices.iter().map(Slice::span).collect()
}

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

/// Joins words with white space and comments that hold what must not be taken for SQL.
fn join(random: &mut Random, words: &[&str]) -> String {
    let gaps = [" ", " ", " ", "\n", "\t ", " /* ' ) , */ ", " -- it's (\n", " /**/ "];
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push_str(random.pick(&gaps));
        }
        text.push_str(word);
    }
    text
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

/// The statement's expressions as text of the other parser's tree.
fn sqlite_expressions(written: &str) -> Option<Vec<String>> {
    let bump = Bump::new();
    let mut parser = Parser::new(&bump, written.as_bytes());
    let first = parser.next().ok()??;
    if parser.next().ok()?.is_some() {
        return None;
    }
    let mut found = Vec::new();
    let mut column = |column: &ColumnDefinition<'_>| {
        for constraint in column.constraints {
            match &constraint.constraint {
                ColumnConstraint::Default(expr)
                | ColumnConstraint::Check(expr)
                | ColumnConstraint::Generated { expr, .. } => found.push(format!("{expr:?}")),
                _ => {}
            }
        }
    };
    match &first {
        Cmd::Stmt(Stmt::CreateTable {
            body: CreateTableBody::ColumnsAndConstraints { columns, constraints, .. },
            ..
        }) => {
            columns.iter().for_each(&mut column);
            for constraint in constraints.iter().copied().flatten() {
                if let TableConstraint::Check(expr, _) = &constraint.constraint {
                    found.push(format!("{expr:?}"));
                }
            }
        }
        Cmd::Stmt(Stmt::AlterTable(_, AlterTableBody::AddColumn(definition))) => column(definition),
        Cmd::Stmt(Stmt::CreateIndex { where_clause, .. }) => {
            found.extend(where_clause.iter().map(|expr| format!("{expr:?}")));
        }
        _ => {}
    }
    Some(found)
}

fn agrees_with_sqlite(written: &str) {
    let source = Source::new("statement.sql", written);
    let statements = read(&source, Dialect::Sqlite).expect("a statement");
    assert_eq!(statements.len(), 1, "{written}");
    let Some(theirs) = sqlite_expressions(written) else {
        panic!("SQLite refuses {written}");
    };
    let statement = &statements[0];
    let mut ours = Vec::new();
    let alone = |slice: &Slice<'_>| {
        let check = format!("CREATE TABLE x (c CHECK ({}))", slice.text);
        let found = sqlite_expressions(&check).unwrap_or_else(|| panic!("{}", slice.text));
        found.concat()
    };
    let mut column = |column: &ColumnDef<'_>| {
        for constraint in &column.constraints {
            match &constraint.kind {
                ColumnConstraintKind::Default(expr)
                | ColumnConstraintKind::Check { expr, .. }
                | ColumnConstraintKind::Generated { expr, .. } => ours.push(alone(expr)),
                _ => {}
            }
        }
    };
    match &statement.kind {
        Kind::CreateTable(table) => {
            table.columns.iter().for_each(&mut column);
            for constraint in &table.constraints {
                if let TableConstraintKind::Check { expr, .. } = &constraint.kind {
                    ours.push(alone(expr));
                }
            }
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                if let AlterKind::AddColumn { column: added, .. } = &action.kind {
                    column(added);
                }
            }
        }
        Kind::CreateIndex(index) => ours.extend(index.filter.iter().map(alone)),
        _ => {}
    }
    assert_eq!(ours, theirs, "{written}");
}

#[test]
fn sqlite_features_agree_with_its_grammar() {
    for written in statements_of(SQLITE) {
        agrees_with_sqlite(&written);
    }
}

fn sqlite_statement(random: &mut Random) -> String {
    let types = ["", "INTEGER", "TEXT", "VARCHAR(10, 2)", "UNSIGNED BIG INT", "'a b'", "\"x\" (3)"];
    let defaults = [
        "1",
        "-1",
        "+1.5e3",
        "'x''y'",
        "NULL",
        "x'00'",
        "CURRENT_TIMESTAMP",
        "(1 + 2)",
        "abc",
        "\"dq\"",
        "(strftime('%Y-%m', 'now'))",
        "TRUE",
        "(CASE WHEN 1 THEN 2 END)",
    ];
    let conditions = [
        "a > 0",
        "json_valid(a) AND a ->> '$.x' GLOB '*'",
        "a NOT LIKE 'x' ESCAPE '\\'",
        "a ISNULL OR a NOTNULL",
        "a IS NOT 'y'",
        "a IN (1, 2)",
        "CASE a WHEN 1 THEN 2 ELSE 3 END",
    ];
    let mut columns = Vec::new();
    for _ in 0..=random.below(4) {
        let condition = format!("({})", random.pick(&conditions));
        let default = random.pick(&defaults);
        let mut words = vec![random.pick(&["a", "[b c]", "`key`", "'e'", "\"select\"", "value"])];
        words.push(random.pick(&types));
        for _ in 0..random.below(4) {
            match random.below(8) {
                0 => words.extend(["NOT NULL", "ON CONFLICT FAIL"]),
                1 => words.extend(["DEFAULT", default]),
                2 => words.extend(["CHECK", &condition]),
                3 => words.extend(["CONSTRAINT", "c", "CHECK", &condition]),
                4 => words.extend([
                    "REFERENCES",
                    "u",
                    "(id)",
                    "ON DELETE CASCADE",
                    "DEFERRABLE INITIALLY DEFERRED",
                ]),
                5 => words.extend(["UNIQUE", "ON CONFLICT REPLACE"]),
                6 => words.extend(["COLLATE", "NOCASE"]),
                _ => words.extend(["AS", &condition, "STORED"]),
            }
        }
        words.retain(|word| !word.is_empty());
        columns.push(join(random, &words));
    }
    columns.push(format!("CHECK ({})", random.pick(&conditions)));
    let elements = format!("({})", columns.join(", "));
    let tail = random.pick(&["", "STRICT"]);
    join(random, &["CREATE", "TABLE", "t", &elements, tail])
}

#[test]
fn generated_sqlite_agrees_with_its_grammar() {
    let mut random = Random::new(3_053);
    for _ in 0..2_000 {
        let statement = format!("{};", sqlite_statement(&mut random));
        // A definition may be nonsense in itself: two columns of one name, a generated default.
        if sqlite_expressions(&statement).is_some() {
            agrees_with_sqlite(&statement);
        }
    }
}
