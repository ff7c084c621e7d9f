//! Where statements begin and end, and what belongs to them.

use miggen::input::ast::Kind;
use miggen::input::{columns_mentioned, read};
use miggen::source::{Dialect, Source};

/// The statements' texts.
fn split(text: &str, dialect: Dialect) -> Vec<String> {
    let source = Source::new("script.sql", text);
    let statements = read(&source, dialect).expect("statements");
    statements.iter().map(|statement| statement.text.text.to_owned()).collect()
}

fn count(text: &str, dialect: Dialect) -> usize {
    split(text, dialect).len()
}

#[test]
fn bodies_are_one_statement() {
    for (text, dialect) in [
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;",
            Dialect::Postgres,
        ),
        ("DO $$ BEGIN PERFORM 1; END; $$;", Dialect::Postgres),
        (
            "CREATE RULE r AS ON INSERT TO t DO (INSERT INTO u VALUES (1); DELETE FROM v);",
            Dialect::Postgres,
        ),
        (
            "CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET end = CASE WHEN 1 THEN 2 END; SELECT 1; END;",
            Dialect::Sqlite,
        ),
        (
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN IF NEW.a THEN SET NEW.b = IF(1, 2, 3); ELSEIF 1 THEN SET @x = 1; END IF; END;",
            Dialect::MySql,
        ),
        (
            "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW IF NEW.a THEN SET NEW.b = 1; END IF;",
            Dialect::MySql,
        ),
        (
            "CREATE PROCEDURE p() BEGIN DECLARE i INT DEFAULT 0; l: LOOP SET i = i + 1; CASE i WHEN 9 THEN LEAVE l; ELSE BEGIN END; END CASE; END LOOP; WHILE i DO SET i = REPEAT('a', 2); END WHILE; REPEAT SET i = 1; UNTIL i END REPEAT; END;",
            Dialect::MySql,
        ),
        ("CREATE DEFINER=`a`@`%` PROCEDURE p() SELECT 1;", Dialect::MySql),
        ("BEGIN NOT ATOMIC SELECT 1; SELECT 2; END;", Dialect::MariaDb),
        ("CREATE TABLE event (a int, `begin` int);", Dialect::MySql),
    ] {
        let with_another = format!("{text}\nSELECT 42;");
        assert_eq!(split(&with_another, dialect), [text.trim_end_matches(';'), "SELECT 42"]);
    }
}

#[test]
fn delimiters_are_followed_and_leave_nothing_behind() {
    let text = "DELIMITER //\nCREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END//\n\
                CREATE PROCEDURE p() BEGIN SELECT ';//'; END //\nDELIMITER ;\nSELECT 1;\n\
                delimiter $$\nCREATE PROCEDURE q() BEGIN SELECT 1; END$$\ndelimiter ;\n";
    let statements = split(text, Dialect::MySql);
    assert_eq!(statements.len(), 4);
    assert!(statements[0].ends_with("END"));
    assert!(statements[1].ends_with("END"));
    assert_eq!(statements[2], "SELECT 1");
    assert!(statements[3].ends_with("END"));
}

#[test]
fn data_and_client_lines_are_no_statements() {
    let text = "\\connect db\nCOPY t (a, b) FROM stdin;\n1\tit's;\n2\t(\n\\.\n\nSELECT 1;\nSELECT 2 \\gexec\n\\restrict x\n";
    assert_eq!(
        split(text, Dialect::Postgres),
        ["\\connect db", "COPY t (a, b) FROM stdin", "SELECT 1", "SELECT 2", "\\restrict x"]
    );
    assert_eq!(
        split(".mode csv\n.read other.sql\nSELECT 1;", Dialect::Sqlite),
        [".mode csv", ".read other.sql", "SELECT 1"]
    );
    let source = Source::new("script.sql", "\\i other.sql\n");
    let statements = read(&source, Dialect::Postgres).expect("statements");
    let Kind::Opaque(opaque) = &statements[0].kind else {
        panic!("an opaque statement");
    };
    assert!(opaque.may_hide_ddl);
}

#[test]
fn runners_markers_end_a_statement() {
    let text = "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE t (a int)\n-- +goose StatementEnd\nSELECT 1;";
    assert_eq!(split(text, Dialect::Postgres), ["CREATE TABLE t (a int)", "SELECT 1"]);
}

#[test]
fn the_end_of_the_text_ends_the_statement() {
    assert_eq!(count("SELECT 1; SELECT 2", Dialect::Postgres), 2);
    assert_eq!(count(";;\n -- nothing\n;", Dialect::Postgres), 0);
    assert_eq!(count("", Dialect::MySql), 0);
    assert_eq!(count("\u{feff}SELECT 1;\u{feff}\nSELECT 2", Dialect::Sqlite), 2);
}

#[test]
fn quotes_and_comments_hide_semicolons() {
    for (text, dialect) in [
        (
            "SELECT ';', \";\", $$;$$, $a$;$b$;$a$, E'\\';' /* ; /* ; */ ; */ -- ;\n, 1",
            Dialect::Postgres,
        ),
        ("SELECT a$1;b$", Dialect::Postgres),
        ("SELECT ';', \"\\\";\", `;` # ;\n /* ; */ -- ;\n , 5", Dialect::MySql),
        ("SELECT ';', \";\", `;`, [;] /* ; */ -- ;\n , x';'", Dialect::Sqlite),
    ] {
        let expected = if text.contains("a$1") { 2 } else { 1 };
        assert_eq!(count(text, dialect), expected, "{text}");
    }
    // MySQL's `--` wants a space behind it.
    assert_eq!(count("SELECT 5--1; SELECT 2", Dialect::MySql), 2);
    assert_eq!(count("SELECT 5--1; SELECT 2", Dialect::Postgres), 1);
}

#[test]
fn version_comments_are_code_where_the_server_runs_them() {
    let text = "/*!50001 CREATE VIEW v AS SELECT 1 */;\n/*!99999 DROP TABLE t */;\n/*M!100100 DROP TABLE u */;";
    assert_eq!(split(text, Dialect::MySql), ["/*!50001 CREATE VIEW v AS SELECT 1 */"]);
    assert_eq!(
        split(text, Dialect::MariaDb),
        ["/*!50001 CREATE VIEW v AS SELECT 1 */", "/*M!100100 DROP TABLE u */"]
    );
    let source = Source::new(
        "table.sql",
        "CREATE TABLE t (a int /*!80023 INVISIBLE */ NOT NULL, b int) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (a) */;",
    );
    let statements = read(&source, Dialect::MySql).expect("statements");
    let Kind::CreateTable(table) = &statements[0].kind else {
        panic!("a table");
    };
    assert_eq!(table.columns[0].text.text, "a int /*!80023 INVISIBLE */ NOT NULL");
    assert_eq!(table.columns[0].constraints.len(), 2);
    assert_eq!(table.options.map(|options| options.text), Some("ENGINE=InnoDB"));
    assert_eq!(table.partition_by.map(|partition| partition.text), Some("PARTITION BY HASH (a)"));
}

#[test]
fn hints_belong_to_the_statement_they_stand_at() {
    let text = "-- miggen: keep 30 days\n\n-- another comment\n--miggen:   renamed from a  \nALTER TABLE t\n  -- miggen: inside\n  ADD b int; -- miggen: behind\nUPDATE t SET b = 1;\n-- miggen: at the end\n";
    let source = Source::new("change.sql", text);
    let statements = read(&source, Dialect::Postgres).expect("statements");
    let hints: Vec<Vec<&str>> = statements
        .iter()
        .map(|statement| statement.hints.iter().map(|hint| hint.text).collect())
        .collect();
    assert_eq!(
        hints,
        [vec!["keep 30 days", "renamed from a", "inside", "behind"], vec!["at the end"]]
    );
    let first = statements[0].hints[0];
    assert_eq!(&text[first.start..first.start + first.text.len()], first.text);
}

#[test]
fn placeholders_are_names_and_mark_the_statement() {
    for (text, dialect, templated) in [
        ("CREATE TABLE ${schema}.t (a int)", Dialect::Postgres, true),
        ("CREATE TABLE {{ .Prefix }}_users (a int)", Dialect::Postgres, true),
        ("CREATE TABLE @schema@.t (a int)", Dialect::Postgres, true),
        ("ALTER TABLE t OWNER TO :owner", Dialect::Postgres, true),
        ("ALTER TABLE t ALTER a SET DEFAULT :'value'", Dialect::Postgres, true),
        ("ALTER TABLE t ALTER a SET DEFAULT '${x}'", Dialect::Postgres, false),
        ("ALTER TABLE t ALTER a SET DEFAULT b[1:c]", Dialect::Postgres, false),
        ("ALTER TABLE t ALTER a TYPE int USING a::int", Dialect::Postgres, false),
        ("SET @a = @@b, @c := 1", Dialect::MySql, false),
        ("GRANT ALL ON t TO 'a'@'%', root@localhost", Dialect::MySql, false),
    ] {
        let source = Source::new("change.sql", text);
        let statements = read(&source, dialect).expect("statements");
        assert_eq!(statements.len(), 1, "{text}");
        assert_eq!(statements[0].templated, templated, "{text}");
    }
}

#[test]
fn names_in_bodies_are_mentioned() {
    assert_eq!(
        columns_mentioned(
            "SELECT u.\"Full\", count(*) FROM users u WHERE name = 'email'",
            Dialect::Postgres
        ),
        ["u", "Full", "count", "users", "name"]
    );
    let function =
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN EXECUTE 'UPDATE t SET hidden = 1'; END $$";
    let found = columns_mentioned(function, Dialect::Postgres);
    for name in ["f", "t", "hidden"] {
        assert!(found.iter().any(|own| own == name), "{name}");
    }
    let trigger = "CREATE TRIGGER tr BEFORE UPDATE ON t EXECUTE FUNCTION tsvector_update_trigger('tsv', 'title')";
    assert!(columns_mentioned(trigger, Dialect::Postgres).contains(&"title".to_owned()));
}
