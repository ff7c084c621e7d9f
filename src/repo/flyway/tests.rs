use std::path::Path;

use super::super::testing::{created, repo};
use super::*;

const MAVEN: &str = "src/main/resources/db/migration";

fn all(files: &[(&str, &str)]) -> Result<Project> {
    read(&repo(files).repo, None)
}

fn next(files: &[&str]) -> Vec<String> {
    let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
    all(&files).unwrap().versions(2, created())
}

#[test]
fn hc101_versions_go_on_across_locations_and_java_classes() {
    assert_eq!(next(&["src/main/resources/db/migration/"]), ["1", "2"]);
    assert_eq!(
        next(&[
            "src/main/resources/db/migration/V4_0_3__init.sql",
            "src/main/java/db/migration/V4_0_4__Fill.java",
        ]),
        ["4_0_5", "4_0_6"]
    );
    assert_eq!(next(&["sql/V002__x.sql", "sql/B005__base.sql", "sql/R__view.sql"]), ["006", "007"]);
    assert_eq!(next(&["sql/a/V3__x.sql", "sql/b/V9__x.sql"]), ["10", "11"]);
    assert_eq!(next(&["sql/V99.sql"]), ["100", "101"]);
    assert_eq!(next(&["sql/V1__x.sql", "src/test/java/db/migration/V9__T.java"]), ["2", "3"]);
}

#[test]
fn the_next_file_lies_where_the_newest_does() {
    let folder = |files: &[&str]| {
        let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
        name(&all(&files).unwrap().folder)
    };
    assert_eq!(folder(&["src/main/resources/db/migration/"]), MAVEN);
    assert_eq!(folder(&["sql/V1__x.sql", "sql/old/V2__x.sql"]), "sql");
    assert_eq!(folder(&["sql/2.43/V2_43_1__x.sql", "sql/2.44/V2_44_1__x.sql"]), "sql/2.44");
    assert_eq!(folder(&["database/V1__x.sql", "db/rollback/V1__x.sql"]), "database");
}

#[test]
fn names_keep_the_style_of_the_team() {
    let project = all(&[("sql/V1__Create_person_table.sql", "")]).unwrap();
    assert_eq!(project.file_name("2", "split_name"), "V2__Split_name.sql");
    let project = all(&[
        ("flyway.conf", "flyway.sqlMigrationPrefix=M\nflyway.sqlMigrationSeparator=-\n"),
        ("sql/M7-add-x.sql", ""),
    ])
    .unwrap();
    assert_eq!(project.versions(1, created()), ["8"]);
    assert_eq!(project.file_name("8", "split_name"), "M8-split-name.sql");
}

#[test]
fn a_file_that_flyway_passes_over_is_named() {
    let project = all(&[("sql/V1__x.sql", ""), ("sql/V2_x.sql", ""), ("sql/v3__x.sql", "")]);
    let project = project.unwrap();
    let passed_over: Vec<_> = project.passed_over.iter().map(|path| name(path)).collect();
    assert_eq!(passed_over, ["sql/V2_x.sql", "sql/v3__x.sql"]);
    assert_eq!(project.versions(1, created()), ["2"]);
}

#[test]
fn two_migrations_of_one_version_are_refused() {
    for (one, other) in [
        ("sql/V14__x.sql", "sql/V014__y.sql"),
        ("sql/V14__x.sql", "sql/sub/V14.0__y.sql"),
        ("sql/V1_1__x.sql", "src/main/java/db/migration/V1_1__X.java"),
    ] {
        // A baseline may have the version of the last migration it stands for.
        let baseline = ("sql/B14__base.sql", "");
        let refused = all(&[(one, ""), (other, ""), baseline]).unwrap_err().render(false);
        assert!(refused.contains("two migrations have version"), "{refused}");
        assert!(refused.contains(one) && refused.contains(other), "{refused}");
    }
}

#[test]
fn a_baseline_may_have_the_version_of_what_it_stands_for() {
    assert_eq!(next(&["sql/V6__x.sql", "sql/B6__base.sql"]), ["7", "8"]);
    assert!(all(&[("sql/V1__x.sql", ""), ("sql/B6__a.sql", ""), ("sql/B6.0__b.sql", "")]).is_err());
}

#[test]
fn a_folder_per_server_is_chosen_by_hand() {
    let files = [
        ("application.yml", "spring:\n  flyway:\n    locations: classpath:db/migration/{vendor}\n"),
        ("src/main/resources/db/migration/mysql/V1__x.sql", ""),
        ("src/main/resources/db/migration/mysql/V2__x.sql", ""),
        ("src/main/resources/db/migration/postgresql/V1__x.sql", ""),
    ];
    let made = repo(&files);
    let refused = read(&made.repo, None).unwrap_err().render(false);
    assert!(refused.contains("hint: --dir src/main/resources/db/migration/"), "{refused}");
    let folder = Path::new("src/main/resources/db/migration/postgresql");
    let project = read(&made.repo, Some(folder)).unwrap();
    assert_eq!(project.folder, folder);
    assert_eq!(project.versions(1, created()), ["3"]);
}

#[test]
fn locations_come_from_the_settings() {
    let found = |page: (&str, &str), file: &str| {
        let project = all(&[page, (file, ""), ("sql/V50__decoy.sql", "")]).unwrap();
        (name(&project.folder), project.versions(1, created()).remove(0))
    };
    let there = |folder: &str| (folder.to_owned(), "5".to_owned());
    assert_eq!(
        found(("flyway.toml", "[flyway]\nlocations = [\"filesystem:db/m\"]\n"), "db/m/V4__x.sql"),
        there("db/m")
    );
    assert_eq!(
        found(
            ("flyway.conf", "flyway.locations=filesystem:db/m,filesystem:nowhere\n"),
            "db/m/V4__x.sql"
        ),
        there("db/m")
    );
    assert_eq!(
        found(
            ("app/pom.xml", "<locations>\n<location>filesystem:${project.basedir}/db</location>"),
            "app/db/V4__x.sql"
        ),
        there("app/db")
    );
    assert_eq!(
        found(
            ("application.properties", "spring.flyway.locations=classpath:/db/pg\n"),
            "src/main/resources/db/pg/V4__x.sql"
        ),
        there("src/main/resources/db/pg")
    );
    assert_eq!(
        found(
            ("build.gradle", "flyway {\n  locations = ['filesystem:db/**/m']\n}\n"),
            "db/x/m/V4__x.sql"
        ),
        there("db/x/m")
    );
}

#[test]
fn settings_that_matter_to_a_migration_are_read() {
    let project = all(&[("sql/V1__x.sql", "SELECT 1;")]).unwrap();
    assert!(!project.cli.lock_disabled && !project.group);
    let on = |used| Placeholders::On { prefix: "${".to_owned(), used };
    assert_eq!(project.placeholders, on(false));
    assert_eq!(name(&project.rollback), "db/rollback");

    let project = all(&[("sql/V1__x.sql", "CREATE TABLE ${schema}.t (id int);")]).unwrap();
    assert_eq!(project.placeholders, on(true));
    let conf = "flyway.placeholders.schema=x\nflyway.group=true\n\
                flyway.postgresql.transactional.lock=false\n";
    let project = all(&[("conf/flyway.conf", conf), ("sql/V1__x.sql", "")]).unwrap();
    assert_eq!(project.placeholders, on(true));
    assert!(project.cli.lock_disabled && project.group);
    let conf = "flyway.placeholderReplacement = false\n";
    let project = all(&[("flyway.conf", conf), ("sql/V1__x.sql", "${x}")]).unwrap();
    assert_eq!(project.placeholders, Placeholders::Off);
}

#[test]
fn no_folder_or_several_need_an_answer() {
    assert!(all(&[("README.md", "")]).is_err());
    let refused = all(&[("a/V1__x.sql", ""), ("b/V2__x.sql", "")]).unwrap_err();
    assert!(refused.render(false).contains("= a, b"), "{refused}");
}

#[test]
fn files_that_are_not_utf_8_are_searched_all_the_same() {
    let made = repo(&[("sql/V1__x.sql", "")]);
    let write = |path: &str, bytes: &[u8]| std::fs::write(made.folder.path().join(path), bytes);
    write("application.properties", b"# caf\xe9\nspring.flyway.group=true\n").unwrap();
    write("sql/V2__y.sql", b"-- caf\xe9 ${x}\n").unwrap();
    let project = read(&made.repo, None).unwrap();
    assert!(project.group);
    assert!(matches!(project.placeholders, Placeholders::On { used: true, .. }));
}
