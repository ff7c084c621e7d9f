//! Stations name only what lies to their left.

use std::fs;
use std::path::{Path, PathBuf};

const ORDER: &[&str] = &[
    "source", "error", "input", "catalog", "dialect", "change", "plan", "sql", "repo", "package",
    "rollout", "generate", "cli",
];

#[test]
fn imports_point_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for file in rust_files(&root) {
        let relative = file.strip_prefix(&root).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let station = first.trim_end_matches(".rs");
        if matches!(station, "lib" | "main") {
            continue;
        }
        let place = ORDER.iter().position(|name| *name == station);
        let place = place.unwrap_or_else(|| panic!("`{station}` is not in the order of stations"));
        for (line, text) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            for later in &ORDER[place + 1..] {
                let named = text.match_indices(&format!("crate::{later}")).any(|(at, found)| {
                    !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                });
                assert!(!named, "{}:{}: {station} names {later}", relative.display(), line + 1);
            }
        }
        seen += 1;
    }
    assert!(seen > 40, "only {seen} files were looked at");
}

#[test]
fn only_cli_names_clap_and_only_package_names_minijinja() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (word, home) in [("clap::", "cli"), ("minijinja::", "package"), ("sqlparser::", "input")] {
        for file in rust_files(&root) {
            let relative = file.strip_prefix(&root).unwrap();
            if !relative.starts_with(home) {
                let text = fs::read_to_string(&file).unwrap();
                assert!(!text.contains(word), "{} names {word}", relative.display());
            }
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
