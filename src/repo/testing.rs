//! Small repositories for tests.

use std::fs;

use chrono::{NaiveDate, NaiveDateTime};
use tempfile::TempDir;

use super::Repo;

/// A repository that lives as long as the value.
pub(super) struct Made {
    pub folder: TempDir,
    pub repo: Repo,
}

/// Writes files; a path that ends in `/` is an empty folder.
pub(super) fn repo(files: &[(&str, &str)]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        if path.to_string_lossy().ends_with('/') {
            fs::create_dir_all(path).unwrap();
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let repo = Repo::new(folder.path());
    Made { folder, repo }
}

/// 2026-11-21 09:30:01
pub(super) fn created() -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
    day.and_hms_opt(9, 30, 1).unwrap()
}
