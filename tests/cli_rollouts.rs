//! Rollouts on disk as `next` and `status` meet them: edited, misplaced, several at once.

mod support;

use support::{Ran, Repo};

const SCHEMA: &str = "\
CREATE TABLE t (id bigint PRIMARY KEY, a text, b text, c text);
CREATE TABLE u (id bigint PRIMARY KEY, a text);
";
const RENAME: &str = "ALTER TABLE t RENAME COLUMN a TO aa";
const STATE: &str = "rollouts/2026-11-21-rename-t-a/rollout.toml";
const FLAGS: [&str; 4] = ["--target", "raw", "--server", "postgres@15"];

fn with<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    FLAGS.iter().copied().chain(rest.iter().copied()).collect()
}

/// A repository in which deploy 1 of a rename is written.
fn begun(more: &[&str]) -> Repo {
    let repo = Repo::raw(SCHEMA);
    done(&repo, &with(&[&[RENAME], more].concat()));
    repo
}

fn done(repo: &Repo, args: &[&str]) -> Ran {
    let ran = repo.miggen(args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran
}

/// What a refused run says; nothing was written.
fn refused(repo: &Repo, code: i32, args: &[&str]) -> String {
    let before = repo.files();
    let ran = repo.miggen(args);
    assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
    assert_eq!(repo.files(), before, "something was written");
    ran.stderr
}

fn edit(repo: &Repo, file: &str, from: &str, to: &str) {
    let text = repo.read(file);
    assert!(text.contains(from), "{text}");
    repo.write(file, &text.replacen(from, to, 1));
}

fn release(repo: &Repo, state: &str, day: &str) {
    edit(repo, state, "number = 1\n", &format!("number = 1\nreleased = {day}\n"));
}

#[test]
fn what_is_kept_longer_than_ten_years_is_a_slip_of_the_pen() {
    let repo = Repo::raw(SCHEMA);
    for days in ["100000000d", "4000000d", "3651 days", "-1d", "99999999999999999999d"] {
        let said = refused(&repo, 2, &with(&[&format!("--keep={days}"), RENAME]));
        assert!(said.contains("is not a number of days"), "{said}");
    }
    let hint = format!("-- miggen: keep 4000000 days\n{RENAME}");
    let said = refused(&repo, 1, &with(&[&hint]));
    assert!(said.contains("argument:1:13") && said.contains("ten years at most"), "{said}");
    done(&repo, &with(&["--keep", "3650d", RENAME]));
}

#[test]
fn a_keep_that_is_none_is_told_with_its_place_and_the_other_rollouts_are_listed() {
    for wrong in ["100000000 days", "4000000 days", "soon", "30", "-3 days"] {
        let repo = begun(&["--keep", "30d"]);
        done(&repo, &with(&["ALTER TABLE u RENAME COLUMN a TO aa"]));
        edit(&repo, STATE, "30 days", wrong);
        release(&repo, STATE, "2026-11-21");
        let said = refused(&repo, 1, &["next", "rename-t-a"]);
        assert!(said.contains("does not say how long the old form stays"), "{said}");
        assert!(said.contains(&format!("{STATE}:")) && said.contains(wrong), "{said}");
        for args in [&["status"] as &[&str], &["status", "--check"]] {
            let ran = repo.miggen(args);
            assert_eq!(ran.code, 1);
            assert!(ran.stdout.contains("rename-u-a   deploy 1 of 2 written"), "{}", ran.stdout);
            assert!(ran.stderr.contains(STATE), "{}", ran.stderr);
        }
    }
}

#[test]
fn what_is_kept_from_a_release_on_is_not_written_before_it() {
    let repo = Repo::raw(SCHEMA);
    let hint = format!("-- miggen: keep 14 days\n{RENAME}");
    for args in [vec!["--all", "--keep", "30d", RENAME], vec!["--all", &hint]] {
        let said = refused(&repo, 2, &with(&args));
        assert!(said.contains("the days count from a release"), "{said}");
        assert!(said.contains("`miggen next`"), "{said}");
    }
    // There is nothing to keep.
    done(&repo, &with(&["--all", "--keep", "30d", "ALTER TABLE t ADD COLUMN d int"]));
}

#[test]
fn errors_are_data_where_data_is_asked_for() {
    let repo = begun(&[]);
    let parse = |text: &str| -> serde_json::Value {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let json = ["--format", "json"];
    let ran = repo.miggen(&with(&[&json[..], &["ALTER TABLE t\nDROP COLUMN nope"]].concat()));
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    let error = &parse(&ran.stdout)["error"];
    assert!(ran.stderr.contains(error["message"].as_str().unwrap()));
    assert_eq!(error["place"], serde_json::json!({"source": "argument", "line": 2, "column": 13}));
    assert!(error["hints"].is_array() && error["notes"].is_array());
    assert_eq!(error["exit_code"], 1);

    let usage = repo.miggen(&with(&[&json[..], &["--keep", "soon", RENAME]].concat()));
    let error = &parse(&usage.stdout)["error"];
    assert_eq!((usage.code, &error["exit_code"]), (2, &2.into()));
    assert!(error.get("place").is_none());
    for next in [&["next"] as &[&str], &["next", "nothing"]] {
        let ran = repo.miggen(&[next, &json].concat());
        assert!(parse(&ran.stdout)["error"]["message"].is_string());
    }
    done(&repo, &with(&["ALTER TABLE u RENAME COLUMN a TO aa"]));
    repo.write(STATE, "format = ");
    let ran = repo.miggen(&["status", "--format", "json"]);
    let list = parse(&ran.stdout);
    assert_eq!(ran.code, 1);
    assert_eq!(list[0]["name"], "rename-u-a");
    assert_eq!(list[1]["error"]["place"]["source"], STATE);
}

#[test]
fn a_rollout_is_named_by_its_name_its_folder_or_a_path_to_it() {
    let repo = begun(&[]);
    done(&repo, &with(&["ALTER TABLE u RENAME COLUMN a TO aa"]));
    release(&repo, STATE, "2026-11-21");
    let folder = "rollouts/2026-11-21-rename-t-a";
    let whole = repo.path().join(folder).display().to_string();
    for named in [
        "rename-t-a",
        "rename_t_a",
        "2026-11-21-rename-t-a",
        "2026-11-21-rename-t-a/",
        folder,
        &format!("{folder}/"),
        &format!("./{folder}"),
        &format!("rollouts/../{folder}"),
        &whole,
    ] {
        done(&repo, &["next", named, "--dry-run"]);
    }
    for (inside, named) in [
        ("rollouts", "2026-11-21-rename-t-a/"),
        (folder, "."),
        ("migrations", &*format!("../{folder}")),
    ] {
        let ran = repo.miggen_in(inside, &["next", named, "--dry-run"]);
        assert_eq!(ran.code, 0, "{inside}, {named}: {}", ran.stderr);
    }
    for named in ["t-a", "rollouts", ".", "", "2026-11-21"] {
        let said = refused(&repo, 1, &["next", named]);
        assert!(said.contains("there is no rollout"), "{said}");
    }
}

#[test]
fn a_name_that_came_again_means_the_rollout_that_waits() {
    let repo = begun(&[]);
    release(&repo, STATE, "2026-11-21");
    done(&repo, &["next"]);
    let repo = repo.at("1796205600"); // 2026-12-02
    done(&repo, &with(&[RENAME]));
    let said = refused(&repo, 1, &["next", "rename-t-a"]);
    assert!(said.contains("2026-12-02-rename-t-a/rollout.toml"), "{said}");
}

#[test]
fn commands_find_the_root_from_anywhere_below_it() {
    let repo = begun(&[]);
    repo.write("app/src/main.py", "");
    repo.write("app/schema.sql", SCHEMA);
    let from_root = done(&repo, &["status"]).stdout;
    let below = repo.miggen_in("app/src", &["status", "--check"]);
    assert_eq!((below.code, &below.stdout), (0, &from_root));
    assert!(below.stderr.contains("note: the repository's root is /"), "{}", below.stderr);
    let change = "ALTER TABLE u ADD COLUMN x int";
    let ran = repo.miggen_in("app", &with(&["--schema", "schema.sql", change]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let is_up = |file: &String| file.starts_with("migrations/") && file.ends_with("add_u_x.up.sql");
    assert!(repo.files().iter().any(is_up), "{:?}", repo.files());
    // Another repository inside this one.
    repo.write("vendor/other/.git/HEAD", "");
    repo.write("vendor/other/src/main.py", "");
    assert_eq!(repo.miggen_in("vendor/other/src", &["status"]).stdout, "no rollouts\n");
    repo.write("vendor/other/miggen.toml", "");
    assert_eq!(repo.miggen_in("vendor/other/src", &["status", "--check"]).code, 0);
}

#[test]
fn a_check_in_the_wrong_folder_is_not_green() {
    let repo = Repo::raw(SCHEMA);
    assert_eq!(repo.miggen(&["status"]).code, 0);
    let begun = begun(&[]);
    let out = repo.path().display().to_string();
    for said in [
        refused(&repo, 1, &["status", "--check"]),
        refused(&begun, 1, &["status", "--check", "--out", &out]),
    ] {
        assert!(said.contains("this may be the wrong folder"), "{said}");
    }
    repo.write("miggen.toml", "");
    assert_eq!(repo.miggen(&["status", "--check"]).code, 0);
}

#[test]
fn nothing_is_written_outside_of_the_repository() {
    let outside = Repo::raw(SCHEMA);
    let before = outside.files();
    let whole = outside.path().join("migrations").display().to_string();
    let repo = Repo::new();
    repo.write("root/schema.sql", SCHEMA);
    repo.write("root/migrations/001_initial.up.sql", "");
    repo.write("beside/001_initial.up.sql", "");
    let folders = [whole.as_str(), "../beside", "migrations/../../beside", ".."];
    let all = repo.files();
    for folder in folders {
        for format in ["text", "json"] {
            let args =
                with(&["--dir", folder, "--format", format, "ALTER TABLE t ADD COLUMN x int"]);
            let ran = repo.miggen_in("root", &args);
            assert_eq!(ran.code, 2, "{folder}: {}", ran.stderr);
            assert!(ran.stderr.contains("is outside of the repository"), "{}", ran.stderr);
        }
        repo.write("root/miggen.toml", &format!("dir = {folder:?}\n"));
        let ran = repo.miggen_in("root", &with(&["ALTER TABLE t ADD COLUMN x int"]));
        assert_eq!(ran.code, 2, "{folder}: {}", ran.stderr);
        std::fs::remove_file(repo.path().join("root/miggen.toml")).unwrap();
    }
    assert_eq!((repo.files(), outside.files()), (all, before));
    // A path from elsewhere that leads into it is as good as another.
    let whole = repo.path().join("root/migrations").display().to_string();
    let args = with(&["--dir", &whole, "ALTER TABLE t ADD COLUMN x int"]);
    assert_eq!(repo.miggen_in("root", &args).code, 0);
    let state = repo.read("root/rollouts/2026-11-21-add-t-x/rollout.toml");
    assert!(state.contains("folder = \"migrations\""), "{state}");
}

#[cfg(unix)]
#[test]
fn links_out_of_the_repository_are_not_written_through() {
    let (repo, outside) = (Repo::raw(SCHEMA), Repo::new());
    std::fs::create_dir(outside.path().join("migrations")).unwrap();
    std::os::unix::fs::symlink(outside.path(), repo.path().join("link")).unwrap();
    let said = refused(&repo, 2, &with(&["--dir", "link/migrations", RENAME]));
    assert!(said.contains("link/migrations is outside of the repository"), "{said}");
    std::os::unix::fs::symlink(outside.path(), repo.path().join("rollouts")).unwrap();
    let said = refused(&repo, 1, &with(&[RENAME]));
    assert!(said.contains("would be outside of the repository"), "{said}");
    assert!(outside.files().is_empty());
}

#[test]
fn a_rollout_edited_by_hand_is_refused_with_its_place() {
    for (from, to, place, said) in [
        ("target = \"raw\"", "target = \"sqlx\"", "sha256 =", "gave another sum"),
        ("postgres@15", "postgres@12", "sha256 =", "gave another sum"),
        ("RENAME COLUMN a TO aa", "RENAME COLUMN b TO aa", "sha256 =", "gave another sum"),
        ("downtime = \"none\"", "downtime = \"any\"", "sha256 =", "gave another sum"),
        ("slug = \"rename_t_a\"", "slug = \"../../x\"", "sha256 =", "gave another sum"),
        ("\nsha256", "\nfolder = \"../x\"\nsha256", "sha256 =", "gave another sum"),
        ("number = 2", "number = 7", "number = 7", "this is deploy 2"),
        ("path = \"migrations", "path = \"../../x", "path =", "outside of the repository"),
        ("released = 2026-11-22", "released = 2025-01-01", "released =", "written on 2026-11-21"),
        ("released = 2026-11-22", "released = 10:00:00", "released =", "no day"),
        ("number = 2", "number = 2\nreleased = 2026-11-22", "released =", "not written yet"),
    ] {
        let repo = begun(&[]);
        release(&repo, STATE, "2026-11-22");
        edit(&repo, STATE, from, to);
        let error = refused(&repo, 1, &["next"]);
        for part in [place, said, "hint: ", &format!("{STATE}:")] {
            assert!(error.contains(part), "{to}: {error}");
        }
        assert_eq!(repo.miggen(&["status", "--check"]).stderr, error);
    }
    // A day earlier is the same day elsewhere, and what is kept may be kept longer.
    let repo = begun(&["--keep", "1d"]);
    edit(&repo, STATE, "1 day", "3 days");
    release(&repo, STATE, "2026-11-20");
    assert!(refused(&repo, 1, &["next"]).contains("until 2026-11-23"));
    assert!(repo.miggen(&["status"]).stdout.contains("not before 2026-11-23"));
}

#[test]
fn a_file_that_was_changed_since_is_warned_of() {
    let repo = begun(&[]);
    release(&repo, STATE, "2026-11-21");
    let file = repo.files().into_iter().find(|file| file.ends_with("expand.up.sql")).unwrap();
    let text = repo.read(&file);
    assert!(!done(&repo, &["next", "--dry-run"]).stderr.contains("warning"));
    repo.write(&file, &text.replace('\n', "\r\n"));
    assert!(!done(&repo, &["next", "--dry-run"]).stderr.contains("warning"));
    repo.write(&file, &format!("-- by hand\n{text}"));
    let warning = format!("{file} is not as miggen wrote it for deploy 1");
    let ran = done(&repo, &["next", "--dry-run"]);
    assert!(ran.stderr.contains(&format!("warning: {warning}")), "{}", ran.stderr);
    let ran = done(&repo, &["next", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(value["warnings"][0].as_str().unwrap().starts_with(&warning), "{value}");
}
