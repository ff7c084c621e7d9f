//! All files of a run, or none.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::package::File;

/// Writes new files, then replaces `changed` ones. What exists is never overwritten; where
/// something fails, what was written before is taken away again.
pub fn write_all(root: &Path, new: &[File], changed: &[File]) -> Result<()> {
    for file in new {
        if root.join(&file.path).exists() {
            return Err(Error::refused(format!("{} is already there", file.path.display()))
                .note("miggen overwrites nothing; nothing was written")
                .hint("`--name OTHER` gives this rollout another name"));
        }
    }
    let mut done = Done::default();
    let result = new
        .iter()
        .try_for_each(|file| done.create(root, file))
        .and_then(|()| changed.iter().try_for_each(|file| done.replace(root, file)));
    if result.is_err() {
        done.undo();
    }
    result
}

#[derive(Default)]
struct Done {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    replaced: Vec<(PathBuf, Vec<u8>)>,
}

impl Done {
    fn create(&mut self, root: &Path, file: &File) -> Result<()> {
        let path = root.join(&file.path);
        let fail = |error: std::io::Error| {
            Error::refused(format!("{} cannot be written: {error}", file.path.display()))
                .note("nothing was written")
                .hint("see who owns the folder, and that it is one")
        };
        if let Some(folder) = path.parent() {
            let missing: Vec<PathBuf> =
                folder.ancestors().take_while(|a| !a.exists()).map(Path::to_path_buf).collect();
            fs::create_dir_all(folder).map_err(fail)?;
            self.folders.extend(missing.into_iter().rev());
        }
        let mut handle =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(fail)?;
        self.files.push(path);
        handle.write_all(file.contents.as_bytes()).map_err(fail)
    }

    fn replace(&mut self, root: &Path, file: &File) -> Result<()> {
        let path = root.join(&file.path);
        let fail = |error: std::io::Error| {
            Error::refused(format!("{} cannot be changed: {error}", file.path.display()))
                .note("nothing was written")
        };
        self.replaced.push((path.clone(), fs::read(&path).map_err(fail)?));
        fs::write(&path, &file.contents).map_err(fail)
    }

    /// Best effort: what cannot be taken back is what could not be written in the first place.
    fn undo(&self) {
        for (path, before) in &self.replaced {
            let _ = fs::write(path, before);
        }
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
