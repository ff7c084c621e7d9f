//! Every example holds what its README's commands write, byte for byte.
//!
//! `UPDATE_EXAMPLES=1 cargo test --test examples` writes them again.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::Repo;

/// Noon of the days on which the deploys are written, and the day before which each is released.
const DAYS: [(&str, &str); 3] =
    [("1736769600", "2025-01-15"), ("1739793600", "2025-02-19"), ("1742212800", "2025-03-19")];

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("README.md").is_file())
        .collect();
    found.sort();
    found
}

/// The lines of the README's first block, without the program's name.
fn commands(readme: &str) -> Vec<Vec<&str>> {
    let block = readme.split("```").nth(1).expect("a block").strip_prefix("sh\n").expect("of sh");
    block
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.strip_prefix("miggen ").expect(line).split_whitespace().collect())
        .collect()
}

/// Files by their path, from `folder` down.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    support::files(folder)
        .into_iter()
        .map(|file| (PathBuf::from(&file), fs::read_to_string(folder.join(&file)).unwrap()))
        .collect()
}

/// What rollouts say they wrote, and the rollouts themselves.
fn is_written(path: &Path, all: &BTreeMap<PathBuf, String>) -> bool {
    path.starts_with("rollouts")
        || all
            .iter()
            .filter(|(state, _)| state.ends_with("rollout.toml"))
            .any(|(_, text)| text.contains(&format!("path = \"{}\"", path.display())))
}

fn release(repo: &Repo, deploy: usize, day: &str) {
    let state = repo.files().into_iter().find(|file| file.ends_with("rollout.toml")).unwrap();
    let number = format!("number = {deploy}\n");
    let text = repo.read(&state).replacen(&number, &format!("{number}released = {day}\n"), 1);
    repo.write(&state, &text);
}

#[test]
fn examples_are_what_their_commands_write() {
    let mut seen = 0;
    for folder in examples() {
        let kept = files(&folder);
        let mut repo = Repo::new();
        for (path, text) in kept.iter().filter(|(path, _)| !is_written(path, &kept)) {
            repo.write(&path.display().to_string(), text);
        }
        let commands = commands(&kept[Path::new("README.md")]);
        for (at, command) in commands.iter().enumerate() {
            if at > 0 {
                release(&repo, at, DAYS[at - 1].1);
            }
            repo = repo.at(DAYS[at].0);
            let ran = repo.miggen(command);
            assert_eq!(ran.code, 0, "{}: {command:?}\n{}", folder.display(), ran.stderr);
            assert_eq!(ran.stdout, "", "only talk, no data");
        }
        let last = repo.miggen(&["next"]);
        assert!(last.stderr.contains("no rollout waits"), "{}: {}", folder.display(), last.stderr);

        let now = files(repo.path());
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            for path in kept.keys().filter(|path| !now.contains_key(*path)) {
                fs::remove_file(folder.join(path)).unwrap();
            }
            for (path, text) in &now {
                fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
                fs::write(folder.join(path), text).unwrap();
            }
        } else {
            let names = |of: &BTreeMap<PathBuf, String>| of.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&kept), names(&now), "{}", folder.display());
            for (path, text) in &now {
                assert_eq!(&kept[path], text, "{}", folder.join(path).display());
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 9);
}

#[test]
fn the_table_lists_every_example() {
    let table =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/README.md"));
    let table = table.unwrap();
    for folder in examples() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(
            table.contains(&format!("[{name}]({name}/README.md)")),
            "{name} is not in the table"
        );
    }
}
