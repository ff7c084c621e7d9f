//! A user's repository in a temporary folder, and miggen run in it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// 2026-11-21 09:30:00 UTC.
pub(crate) const NOW: &str = "1795253400";

pub(crate) struct Repo {
    folder: TempDir,
    now: String,
}

#[allow(dead_code, reason = "each test binary uses its own part")]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[allow(dead_code, reason = "each test binary uses its own part")]
impl Repo {
    pub(crate) fn new() -> Repo {
        Repo { folder: TempDir::new().unwrap(), now: NOW.into() }
    }

    /// A repository of plain SQL files, with a schema.
    pub(crate) fn raw(schema: &str) -> Repo {
        let repo = Repo::new();
        repo.write("schema.sql", schema);
        repo.write("migrations/001_initial.up.sql", "-- the schema so far\n");
        repo.write("migrations/001_initial.down.sql", "");
        repo
    }

    pub(crate) fn at(mut self, now: &str) -> Repo {
        self.now = now.into();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, contents: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Every file below the root, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        files(self.path())
    }

    pub(crate) fn miggen(&self, args: &[&str]) -> Ran {
        self.run(args, "", None)
    }

    /// Run in a folder below the root.
    pub(crate) fn miggen_in(&self, folder: &str, args: &[&str]) -> Ran {
        self.run(args, folder, None)
    }

    pub(crate) fn miggen_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        self.run(args, "", Some(input))
    }

    fn run(&self, args: &[&str], folder: &str, input: Option<&[u8]>) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_miggen"))
            .args(args)
            .current_dir(self.path().join(folder))
            .env("SOURCE_DATE_EPOCH", &self.now)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(input) = input {
            use std::io::Write as _;
            // A refused command line closes its input early.
            let _ = child.stdin.as_mut().unwrap().write_all(input);
        }
        drop(child.stdin.take());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// Every file below a folder, relative to it and sorted.
#[allow(dead_code, reason = "each test binary uses its own part")]
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    walk(folder, folder, &mut files);
    files.sort();
    files
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}
