//! What the README says is what happens.

mod support;

use support::Repo;

const README: &str = include_str!("../README.md");

/// The block of that language which contains `text`.
fn block(text: &str) -> &'static str {
    README
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').map_or("", |(_, rest)| rest))
        .find(|block| block.contains(text))
        .unwrap_or_else(|| panic!("no block with {text:?}"))
}

#[test]
fn the_first_command_writes_a_rollout_for_the_shipped_schema() {
    let command = block("cargo run");
    let flags = command.split_once("-- ").expect("arguments").1.trim();
    let (flags, change) = flags.split_once('"').expect("a change in quotes");
    let repo = Repo::new();
    std::fs::create_dir(repo.path().join("migrations")).unwrap();
    let root = repo.path().display().to_string();
    let shipped = format!("{}/examples/shop/schema.sql", env!("CARGO_MANIFEST_DIR"));
    let mut args: Vec<&str> = flags
        .split_whitespace()
        .map(|word| match word {
            "target/first" => root.as_str(),
            "examples/shop/schema.sql" => shipped.as_str(),
            other => other,
        })
        .collect();
    args.push(change.trim_end_matches('"'));
    let ran = repo.miggen(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(repo.files().iter().any(|file| file.ends_with("RUNBOOK.md")));
}

#[test]
fn the_session_shown_is_the_session_one_has() {
    let shown = block("$ miggen");
    let repo = Repo::raw(include_str!("../examples/shop/schema.sql"));
    repo.write("miggen.toml", "server = \"postgres@15\"\n\n[rows]\norders = 2_000_000\n");
    let ran = repo.miggen(&["ALTER TABLE orders RENAME COLUMN created TO created_at"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let body = shown.split_once('\n').map_or("", |(_, rest)| rest);
    assert_eq!(ran.stderr, body);
}

#[test]
fn every_flag_in_the_readme_exists() {
    let help = Repo::new().miggen(&["--help"]).stdout;
    for word in README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let known = ["--quiet", "--bench", "--check"];
        if word.starts_with("--") && word.len() > 3 && !known.contains(&word) {
            assert!(help.contains(word), "{word} is not an option");
        }
    }
}
