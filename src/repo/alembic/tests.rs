use std::path::Path;

use super::super::testing::{Made, created, repo};
use super::*;

const INI: &str = "[alembic]\nscript_location = %(here)s/migrations\n";
const ENV: &str = "from alembic import context\ncontext.configure(connection=None)\n";

/// A revision file as Alembic's template writes it.
fn revision(id: &str, parent: &str) -> String {
    format!(
        "\"\"\"add things\n\nRevision ID: {id}\nRevises: wrong\nrevision = 'wrong'\n\"\"\"\n\
         from alembic import op\n\nrevision: str = \"{id}\"\n\
         down_revision: Union[str, Sequence[str], None] = {parent}\n\
         branch_labels = None\ndepends_on = None\n\n\
         def upgrade() -> None:\n    revision = 'inner'\n"
    )
}

fn made(revisions: &[(&str, &str)]) -> Made {
    let mut files = vec![
        ("alembic.ini".to_owned(), INI.to_owned()),
        ("migrations/env.py".to_owned(), ENV.to_owned()),
        ("migrations/versions/__init__.py".to_owned(), String::new()),
    ];
    for (id, parent) in revisions {
        files.push((format!("migrations/versions/{id}_x.py"), revision(id, parent)));
    }
    let files: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    repo(&files)
}

fn read_all(made: &Made) -> Result<Project> {
    read(&made.repo, None, None)
}

fn refusal(made: &Made) -> String {
    read_all(made).unwrap_err().render(false)
}

#[test]
fn the_head_is_what_nothing_follows() {
    let made = made(&[("a1", "None"), ("b2", "'a1'"), ("c3", "('b2')")]);
    let project = read_all(&made).unwrap();
    assert_eq!(project.head.as_deref(), Some("c3"));
    assert_eq!(project.versions, Path::new("migrations/versions"));
    assert_eq!(project.script, Path::new("migrations"));
    assert_eq!(project.revisions.len(), 3);
    assert!(!project.env_per_migration);
    assert_eq!(
        project.file_name("98eaeafaa760", "split_name", 0, created()),
        "98eaeafaa760_split_name.py"
    );
}

#[test]
fn an_empty_folder_has_no_head() {
    assert_eq!(read_all(&made(&[])).unwrap().head, None);
    let fresh = repo(&[("alembic.ini", INI), ("migrations/env.py", ENV)]);
    let project = read_all(&fresh).unwrap();
    assert_eq!(project.versions, Path::new("migrations/versions"));
    assert_eq!(project.head, None);
}

#[test]
fn hc101_a_merge_follows_several() {
    let made = made(&[
        ("a1", "None"),
        ("b2", "\"a1\""),
        ("c3", "\"a\" \"1\""),
        ("d4", "(\n    \"b2\",  # one\n    \"c3\",\n)"),
    ]);
    assert_eq!(read_all(&made).unwrap().head.as_deref(), Some("d4"));
}

#[test]
fn depends_on_leaves_a_head_a_head() {
    let made = made(&[("a1", "None"), ("b2", "'a1'")]);
    let file = made.folder.path().join("migrations/versions/c3_x.py");
    let text = revision("c3", "'a1'").replace("depends_on = None", "depends_on = 'b2'");
    std::fs::write(file, text).unwrap();
    assert!(refusal(&made).contains("two heads"));
}

#[test]
fn hc94_two_heads_are_refused_and_a_parent_settles_it() {
    let made = made(&[("a1", "None"), ("b2", "\"a1\""), ("c3", "\"a1\"")]);
    insta::assert_snapshot!(refusal(&made), @r#"
    error: migrations/versions has two heads
      --> migrations/versions/b2_x.py:10:50
       |
    10 | down_revision: Union[str, Sequence[str], None] = "a1"
       |                                                  ^^^^ so has c3_x.py
       |
       = heads: b2, c3; `alembic upgrade head` refuses too
    hint: `alembic merge -m "merge" b2 c3`, or `miggen --parent b2`
    "#);
    let project = read(&made.repo, None, Some("c3")).unwrap();
    assert_eq!(project.head.as_deref(), Some("c3"));
}

#[test]
fn heads_without_a_common_parent_are_both_shown() {
    let made = made(&[("a1", "None"), ("b2", "None")]);
    let refusal = refusal(&made);
    assert!(refusal.contains("nothing follows this one"), "{refusal}");
    assert!(refusal.contains("nor this one"), "{refusal}");
}

#[test]
fn a_parent_is_a_head_or_the_start_of_its_id() {
    let made = made(&[("a1b2c3", "None"), ("a1ffff", "'a1b2c3'")]);
    let given = |parent| read(&made.repo, None, Some(parent));
    assert_eq!(given("a1f").unwrap().head.as_deref(), Some("a1ffff"));
    let refused = given("a1b2c3").unwrap_err().render(false);
    assert!(refused.contains("`a1b2c3` is not a head"), "{refused}");
    assert!(refused.contains("hint: --parent a1ffff"), "{refused}");
    let unknown = given("zz").unwrap_err().render(false);
    assert!(unknown.contains("there is no revision `zz`"), "{unknown}");
    assert!(unknown.contains("the head is a1ffff"), "{unknown}");
    let several = given("a1").unwrap_err().render(false);
    assert!(several.contains("several revisions start with"), "{several}");
}

#[test]
fn a_missing_parent_is_refused() {
    insta::assert_snapshot!(refusal(&made(&[("b2", "'a1'")])), @r"
    error: `b2` follows a revision that is missing
      --> migrations/versions/b2_x.py:10:50
       |
    10 | down_revision: Union[str, Sequence[str], None] = 'a1'
       |                                                  ^^^^ no file is revision `a1`
       |
       = `alembic upgrade` refuses too
    hint: bring the missing file back, or correct `down_revision`
    ");
}

#[test]
fn a_circle_is_refused() {
    let made = made(&[("a1", "'b2'"), ("b2", "'a1'")]);
    assert!(refusal(&made).contains("in a circle"));
    assert!(read(&made.repo, None, Some("a1")).is_err());
}

#[test]
fn two_files_of_one_revision_are_refused() {
    let made = made(&[("a1", "None")]);
    let file = made.folder.path().join("migrations/versions/copy.py");
    std::fs::write(file, revision("a1", "None")).unwrap();
    let refusal = refusal(&made);
    assert!(refusal.contains("two files are revision `a1`"), "{refusal}");
    assert!(refusal.contains("versions/a1_x.py") && refusal.contains("versions/copy.py"));
}

#[test]
fn what_would_have_to_be_run_is_refused_unless_a_parent_is_given() {
    for text in [
        "R = 'a'\nrevision = R\ndown_revision = None\n",
        "revision, down_revision = 'a', None\n",
        "revision = 'a'\nif True:\n    revision = 'b'\ndown_revision = None\n",
        "from ids import revision\ndown_revision = None\n",
        "revision = f'a{1}'\ndown_revision = None\n",
        "revision = 'a' + 'b'\ndown_revision = None\n",
        "revision = 'a'\ndown_revision = [parent()]\n",
        "revision = 'a'\ndown_revision = 3\n",
        "revision = 'a'\ntry:\n    import x\nexcept E:\n    down_revision = 'b'\n",
        "revision = 'a'\nrevision += 'b'\ndown_revision = None\n",
    ] {
        let made = made(&[("c3", "None")]);
        let file = made.folder.path().join("migrations/versions/odd.py");
        std::fs::write(file, text).unwrap();
        let refusal = refusal(&made);
        assert!(refusal.contains("is not written out"), "{text}{refusal}");
        assert!(refusal.contains("migrations/versions/odd.py:"), "{refusal}");
        assert!(refusal.contains("hint: --parent REVISION"), "{refusal}");
        let project = read(&made.repo, None, Some("c3")).unwrap();
        assert_eq!(project.head.as_deref(), Some("c3"));
        let project = read(&made.repo, None, Some("ab")).unwrap();
        assert_eq!(project.head.as_deref(), Some("ab"));
    }
}

#[test]
fn the_last_plain_assignment_wins() {
    let made = made(&[]);
    let file = made.folder.path().join("migrations/versions/odd.py");
    let text = "revision: Final[str]\nrevision = alias = r'a'\nrevision: 'str' = ('b' # x\n  u'2')\ndown_revision = []\n";
    std::fs::write(file, text).unwrap();
    assert_eq!(read_all(&made).unwrap().head.as_deref(), Some("b2"));
}

#[test]
fn byte_order_marks_and_carriage_returns_do_not_matter() {
    let made = made(&[]);
    let file = made.folder.path().join("migrations/versions/dos.py");
    let text = format!("\u{feff}{}", revision("a1", "None").replace('\n', "\r\n"));
    std::fs::write(file, text).unwrap();
    assert_eq!(read_all(&made).unwrap().head.as_deref(), Some("a1"));
}

#[test]
fn a_file_in_another_encoding_is_refused_at_its_byte() {
    let made = made(&[]);
    let file = made.folder.path().join("migrations/versions/latin.py");
    std::fs::write(file, b"# caf\xe9\nrevision = 'a'\ndown_revision = None\n").unwrap();
    let refusal = refusal(&made);
    assert!(refusal.contains("`migrations/versions/latin.py` is not UTF-8"), "{refusal}");
    assert!(refusal.contains("latin.py:1:6"), "{refusal}");
}

#[test]
fn a_helper_among_the_revisions_is_refused_and_a_lock_file_is_not() {
    let made = made(&[("a1", "None")]);
    let versions = made.folder.path().join("migrations/versions");
    std::fs::write(versions.join(".#a1_x.py"), "nonsense(").unwrap();
    std::fs::write(versions.join("__init__old.py"), "nonsense(").unwrap();
    std::fs::write(versions.join("README"), "nonsense(").unwrap();
    assert!(read_all(&made).is_ok());
    std::fs::write(versions.join("helpers.py"), "x = 1\n").unwrap();
    assert!(refusal(&made).contains("`migrations/versions/helpers.py` has no `revision`"));
    std::fs::write(versions.join("helpers.py"), "x = 1\n)](\n").unwrap();
    assert!(refusal(&made).contains("is not valid Python"));
}

#[test]
fn env_says_whether_each_revision_has_its_transaction() {
    let made = made(&[]);
    let env = made.folder.path().join("migrations/env.py");
    let with = |argument: &str| {
        let text =
            format!("def run():\n    context.configure(\n        url=url, {argument}\n    )\n");
        std::fs::write(&env, text).unwrap();
        read_all(&made).unwrap().env_per_migration
    };
    assert!(with("transaction_per_migration=True"));
    assert!(!with("transaction_per_migration=False"));
    assert!(!with("# transaction_per_migration=True"));
}

#[test]
fn a_transaction_that_cannot_be_left_is_found() {
    let made = made(&[]);
    let env = made.folder.path().join("migrations/env.py");
    let obstacle = |text: &str| {
        std::fs::write(&env, text).unwrap();
        let project = read_all(&made).unwrap();
        project.obstacle.map(|error| error.render(false))
    };
    let usual = "def run():\n    with engine.connect() as connection:\n        \
                 context.configure(connection=connection)\n        \
                 with context.begin_transaction():\n            context.run_migrations()\n";
    assert_eq!(obstacle(usual), None);
    insta::assert_snapshot!(obstacle(&usual.replace("connect()", "begin()")).unwrap(), @"
    error: `migrations/env.py` opens a transaction that no revision can leave
     --> migrations/env.py:2:10
      |
    2 |     with engine.begin() as connection:
      |          ^^^^^^^^^^^^^^ begins a transaction of its own
      |
      = `op.get_context().autocommit_block()` fails there, and a concurrent index needs it
    hint: connect with `connectable.connect()`, and begin with `context.begin_transaction()`
    ");
    let inner = usual.replace("context.begin_transaction()", "connection.begin()");
    assert!(obstacle(&inner).unwrap().contains("env.py:4:14"));
    let first = "        connection.execute(text('SET x = 1'))\n";
    let at = usual.find("        context.configure").unwrap();
    let executed = format!("{}{first}{}", &usual[..at], &usual[at..]);
    assert!(obstacle(&executed).unwrap().contains("begins a transaction, unseen"));
    let committed = executed.replace(first, &format!("{first}        connection.commit()\n"));
    assert_eq!(obstacle(&committed), None);
    let elsewhere = format!("def other(c):\n    c.execute(x)\n\n\n{usual}");
    assert_eq!(obstacle(&elsewhere), None);
    let later = usual
        .replace("            context.run", "            c.execute(x)\n            context.run");
    assert_eq!(obstacle(&later), None);
    let async_begin =
        "async def run():\n    async with engine.begin() as c:\n        await c.run_sync(f)\n";
    assert!(obstacle(async_begin).is_some());
}

#[test]
fn settings_of_pyproject_fill_in_what_the_ini_leaves_out() {
    let made = repo(&[
        ("alembic.ini", "[alembic]\nscript_location = db\n"),
        (
            "pyproject.toml",
            "[tool.alembic]\nscript_location = 'wrong'\n\
             file_template = '%%(year)d_%%(rev)s'\ntruncate_slug_length = 5\n",
        ),
        ("db/env.py", ENV),
    ]);
    let project = read_all(&made).unwrap();
    assert_eq!(project.script, Path::new("db"));
    assert_eq!(project.file_name("a1", "x", 0, created()), "2026_a1.py");
}

#[test]
fn pyproject_alone_and_a_bare_script_folder_will_do() {
    let made = repo(&[
        (
            "backend/pyproject.toml",
            "[tool.alembic]\nscript_location = '%(here)s/db'\nversion_locations = ['%(here)s/db/v']\n",
        ),
        ("backend/db/env.py", ENV),
        ("backend/db/v/a1_x.py", &revision("a1", "None")),
    ]);
    let project = read_all(&made).unwrap();
    assert_eq!(project.versions, Path::new("backend/db/v"));
    assert_eq!(project.head.as_deref(), Some("a1"));

    let made = repo(&[
        ("warehouse/migrations/env.py", ENV),
        ("warehouse/migrations/script.py.mako", ""),
        ("warehouse/migrations/versions/a1_x.py", &revision("a1", "None")),
    ]);
    let project = read_all(&made).unwrap();
    assert_eq!(project.versions, Path::new("warehouse/migrations/versions"));
    let project = read(&made.repo, Some(Path::new("warehouse/migrations")), None).unwrap();
    assert_eq!(project.head.as_deref(), Some("a1"));
    let project = read(&made.repo, Some(Path::new("./warehouse/migrations/versions/")), None);
    assert_eq!(project.unwrap().script, Path::new("warehouse/migrations"));
}

#[test]
fn a_script_location_may_name_a_package() {
    let made = repo(&[
        ("alembic.ini", "[alembic]\nscript_location = my.app:migrations\n"),
        ("src/my/app/migrations/env.py", ENV),
    ]);
    let project = read_all(&made).unwrap();
    assert_eq!(project.versions, Path::new("src/my/app/migrations/versions"));
}

#[test]
fn a_script_location_that_is_missing_is_refused_at_its_place() {
    let made = repo(&[("alembic.ini", INI)]);
    let refusal = refusal(&made);
    assert!(refusal.contains("alembic.ini:2:19"), "{refusal}");
    assert!(refusal.contains("there is no folder `./migrations`"), "{refusal}");
}

#[test]
fn several_environments_need_a_folder() {
    let made = repo(&[
        ("one/alembic.ini", "[alembic]\nscript_location = db\n"),
        ("one/db/env.py", ENV),
        ("one/db/versions/a1_x.py", &revision("a1", "None")),
        ("two/alembic.ini", "[alembic]\nscript_location = db\nfile_template = %%(slug)s\n"),
        ("two/db/env.py", ENV),
    ]);
    let refusal = refusal(&made);
    assert!(refusal.contains("one/alembic.ini, two/alembic.ini"), "{refusal}");
    let project = read(&made.repo, Some(Path::new("two/db/versions")), None);
    // The folder does not exist, and git would not keep it.
    assert!(project.is_err());
    let project = read(&made.repo, Some(Path::new("two/db")), None).unwrap();
    assert_eq!(project.file_name("a1", "x_y", 0, created()), "x_y.py");
    assert!(read(&repo(&[]).repo, None, None).is_err());
}

#[test]
fn of_several_locations_the_parents_is_taken() {
    let ini = "[alembic]\nscript_location = db\npath_separator = os\n\
               version_locations = %(here)s/db/one:db/two\n";
    let made = repo(&[
        ("alembic.ini", ini),
        ("db/env.py", ENV),
        ("db/one/a1_x.py", &revision("a1", "None")),
        ("db/two/b2_x.py", &revision("b2", "'a1'")),
    ]);
    assert_eq!(read_all(&made).unwrap().versions, Path::new("db/two"));
    std::fs::write(made.folder.path().join("db/one/c3_x.py"), revision("c3", "'a1'")).unwrap();
    assert!(refusal(&made).contains("two heads"));
    let project = read(&made.repo, Some(Path::new("db/one")), None).unwrap();
    assert_eq!(project.head.as_deref(), Some("c3"));
}

#[test]
fn files_in_folders_of_their_date_are_read_and_named() {
    let ini = "[alembic]\nscript_location = db\nrecursive_version_locations = true\n";
    let made = repo(&[
        ("alembic.ini", ini),
        ("db/env.py", ENV),
        ("db/versions/2026/01/05_0900_a1_x.py", &revision("a1", "None")),
    ]);
    let project = read_all(&made).unwrap();
    assert_eq!(project.head.as_deref(), Some("a1"));
    assert_eq!(project.file_name("b2", "x", 0, created()), "2026/11/21_0930_b2_x.py");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_a_file_reached_twice_is_one() {
    let made = repo(&[
        (
            "alembic.ini",
            "[alembic]\nscript_location = db\nversion_locations = db/versions db/again\n",
        ),
        ("db/env.py", ENV),
        ("shared/a1_x.py", &revision("a1", "None")),
    ]);
    let link = |to: &str, from: &str| {
        std::os::unix::fs::symlink(to, made.folder.path().join(from)).unwrap();
    };
    link("../shared", "db/versions");
    link("../shared", "db/again");
    link(".", "db/loop");
    assert_eq!(read_all(&made).unwrap().head.as_deref(), Some("a1"));
}

#[test]
fn ids_are_the_same_for_the_same_content_and_numbers_count_on() {
    let id = revision_id(Some("a1"), "x");
    assert_eq!(id.len(), 12);
    assert_eq!(id, revision_id(Some("a1"), "x"));
    assert_ne!(id, revision_id(None, "x"));
    assert_ne!(id, revision_id(Some("a1"), "y"));
    assert_ne!(revision_id(Some("a"), "1x"), revision_id(Some("a1"), "x"));

    let hashed = read_all(&made(&[("a1", "None")])).unwrap();
    assert_eq!(hashed.revision_id(Some("a1"), "x"), id);
    let counted = read_all(&made(&[("0008", "None"), ("0009", "'0008'")])).unwrap();
    assert_eq!(counted.revision_id(Some("0009"), "x"), "0010");
    assert_eq!(counted.revision_id(Some("0010"), "x"), "0011");
    assert_eq!(counted.file_name("0010", "x", 0, created()), "0010_x.py");
}
