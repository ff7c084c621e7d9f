//! Alembic's settings → where its files lie.
//!
//! Enters: `alembic.ini`, `pyproject.toml`, or a folder with `env.py` and `script.py.mako`.
//! Leaves: [`Config`]. Must not know: revisions.

use std::path::{Path, PathBuf};

use toml::{Table, Value as Toml};

use super::super::settings::{Ini, Value, interpolate};
use super::super::{Repo, file_name, name, tidy};
use crate::error::{Error, Result};
use crate::source::Source;

/// The section of an `alembic.ini`, and the table of a `pyproject.toml` under `tool`.
const SECTION: &str = "alembic";

/// One Alembic environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    /// The folder of `env.py`.
    pub script: PathBuf,
    /// The folders of revisions; never empty.
    pub locations: Vec<PathBuf>,
    pub recursive: bool,
    pub file_template: Option<String>,
    pub truncate_slug_length: usize,
}

impl Config {
    fn of_script(script: PathBuf) -> Config {
        Config {
            locations: vec![script.join("versions")],
            script,
            recursive: false,
            file_template: None,
            truncate_slug_length: 40,
        }
    }
}

/// Finds the environment: the one of `folder` if it is given, else the only one there is.
pub(super) fn find(repo: &Repo, folder: Option<&Path>) -> Result<Config> {
    let homes = homes(repo, &repo.walk("")?)?;
    let Some(folder) = folder else {
        return match homes.as_slice() {
            [] => Err(Error::refused("no Alembic environment is found here")
                .note("looked for alembic.ini, [tool.alembic] in pyproject.toml, and env.py beside script.py.mako")
                .hint("--dir FOLDER names the folder with the revisions")),
            [home] => read(repo, home),
            // The root's own is the one that `alembic` takes when it is run there.
            [home, ..] if home.folder().as_os_str().is_empty() => read(repo, home),
            several => {
                let names: Vec<_> = several.iter().map(|home| name(home.path())).collect();
                Err(Error::refused("several Alembic environments are found here")
                    .note(names.join(", "))
                    .hint("--dir FOLDER names the folder with the revisions"))
            }
        };
    };
    let folder = repo.folder(folder)?;
    for home in &homes {
        // What is wrong with an environment that is not asked for does not matter.
        if let Ok(config) = read(repo, home)
            && (config.script == folder || config.locations.contains(&folder))
        {
            return Ok(config);
        }
    }
    if repo.is_folder(folder.join("versions")) {
        return Ok(Config::of_script(folder));
    }
    let script = folder.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Config { locations: vec![folder], ..Config::of_script(script) })
}

/// The files that show that a repository has an Alembic environment.
pub(super) fn signs(repo: &Repo, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let homes = homes(repo, files)?;
    Ok(homes.iter().map(|home| home.path().to_owned()).collect())
}

/// Where an environment is described.
enum Home {
    /// `alembic.ini` or `pyproject.toml`, or both of one folder.
    Settings { ini: Option<PathBuf>, toml: Option<PathBuf> },
    /// `env.py`, beside a `script.py.mako`.
    Script(PathBuf),
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Home::Settings { ini: Some(path), .. }
            | Home::Settings { toml: Some(path), .. }
            | Home::Script(path) => path,
            Home::Settings { .. } => Path::new(""),
        }
    }

    fn folder(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new(""))
    }
}

/// Every environment of the repository; settings first, and without them the bare scripts.
fn homes(repo: &Repo, files: &[PathBuf]) -> Result<Vec<Home>> {
    let mut homes: Vec<Home> = Vec::new();
    for path in files {
        if file_name(path) == "alembic.ini" && is_ini(repo, path) {
            let beside = path.with_file_name("pyproject.toml");
            let toml = is_toml(repo, &beside)?.then_some(beside);
            homes.push(Home::Settings { ini: Some(path.clone()), toml });
        }
    }
    for path in files {
        let known = homes.iter().any(|home| Some(home.folder()) == path.parent());
        if file_name(path) == "pyproject.toml" && !known && is_toml(repo, path)? {
            homes.push(Home::Settings { ini: None, toml: Some(path.clone()) });
        }
    }
    if homes.is_empty() {
        for path in files {
            if file_name(path) == "env.py" && files.contains(&path.with_file_name("script.py.mako"))
            {
                homes.push(Home::Script(path.clone()));
            }
        }
    }
    homes.sort_by_key(|home| home.folder().components().count());
    Ok(homes)
}

fn is_ini(repo: &Repo, path: &Path) -> bool {
    Ini::parse(Source::new("", repo.glance(path))).has(SECTION)
}

fn is_toml(repo: &Repo, path: &Path) -> Result<bool> {
    // Most projects' files do not mention it, and some are not even valid.
    Ok(repo.glance(path).contains(SECTION) && table(&repo.read(path)?)?.is_some())
}

fn table(source: &Source) -> Result<Option<Table>> {
    let table: Table = source.text.parse().map_err(|error: toml::de::Error| {
        let refused = Error::refused(format!("`{}` is not valid TOML", source.name));
        match error.span() {
            Some(span) => {
                refused.at(source, crate::source::Span::new(span.start, span.end), error.message())
            }
            None => refused.note(error.message()),
        }
    })?;
    Ok(table.get("tool").and_then(|tool| tool.get(SECTION)).and_then(Toml::as_table).cloned())
}

fn read(repo: &Repo, home: &Home) -> Result<Config> {
    let (ini, toml) = match home {
        Home::Script(env) => {
            let script = env.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Config::of_script(script));
        }
        Home::Settings { ini, toml } => (ini, toml),
    };
    let here = home.folder();
    let ini = match ini {
        Some(path) => Some(Ini::parse(repo.read(path)?)),
        None => None,
    };
    let toml = match toml {
        Some(path) => table(&repo.read(path)?)?,
        None => None,
    };
    Settings { repo, source: repo.read(home.path())?, here, ini, toml: toml.unwrap_or_default() }
        .config()
}

/// The settings of one folder; each key of the `.ini` goes before that of the `.toml`.
struct Settings<'r> {
    repo: &'r Repo,
    source: Source,
    here: &'r Path,
    ini: Option<Ini>,
    toml: Table,
}

impl Settings<'_> {
    fn ini(&self, key: &str) -> Result<Option<Value>> {
        match &self.ini {
            Some(ini) => ini.get(SECTION, key, &name(self.here)),
            None => Ok(None),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>> {
        if let Some(value) = self.ini(key)? {
            return Ok(Some(value.text));
        }
        match self.toml.get(key) {
            Some(Toml::String(text)) => self.fill(text).map(Some),
            Some(other) => Ok(Some(other.to_string())),
            None => Ok(None),
        }
    }

    fn fill(&self, text: &str) -> Result<String> {
        interpolate(text, |token| (token == "here").then(|| name(self.here))).map_err(|token| {
            Error::refused(format!("`{token}` cannot be filled in in pyproject.toml"))
                .note(format!("it stands in `{text}`, under [tool.alembic]"))
                .hint("double a `%` that is meant as such")
        })
    }

    fn config(&self) -> Result<Config> {
        let Some(location) = self.text("script_location")? else {
            return Err(Error::refused(format!(
                "`{}` says nothing of `script_location`",
                self.source.name
            ))
            .hint("--dir FOLDER names the folder with the revisions"));
        };
        let script = self.folder("script_location", &location)?;
        let mut config = Config::of_script(script);
        let locations = self.locations()?;
        if !locations.is_empty() {
            config.locations = locations;
        }
        config.recursive = self.text("recursive_version_locations")?.is_some_and(|text| {
            matches!(text.trim().to_lowercase().as_str(), "1" | "true" | "yes" | "on")
        });
        config.file_template = self.text("file_template")?;
        // Alembic takes 0 for "not set" too.
        if let Some(length) = self
            .text("truncate_slug_length")?
            .and_then(|text| text.trim().parse().ok())
            .filter(|length| *length > 0)
        {
            config.truncate_slug_length = length;
        }
        Ok(config)
    }

    fn locations(&self) -> Result<Vec<PathBuf>> {
        let key = "version_locations";
        let listed: Vec<String> = match (self.ini(key)?, self.toml.get(key)) {
            (Some(value), _) if !value.text.is_empty() => {
                let separator = match self.ini("path_separator")? {
                    Some(separator) => Some(separator),
                    None => self.ini("version_path_separator")?,
                };
                let separators: &[char] = match separator.as_ref().map(|word| word.text.as_str()) {
                    Some("space") => &[' '],
                    Some("newline") => &['\n'],
                    Some(";") => &[';'],
                    Some(_) => &[':'],
                    None => &[' ', ',', '\n'],
                };
                value.text.split(separators).map(str::to_owned).collect()
            }
            (_, Some(Toml::Array(items))) => items
                .iter()
                .filter_map(Toml::as_str)
                .map(|text| self.fill(text))
                .collect::<Result<_>>()?,
            _ => Vec::new(),
        };
        listed
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
            // A folder of revisions need not exist yet; git keeps none that is empty.
            .map(|text| Ok(self.existing(text).unwrap_or_else(|| tidy(&self.here.join(text)))))
            .collect()
    }

    /// A folder as Alembic finds it: a path, or `package:path`.
    fn folder(&self, key: &str, text: &str) -> Result<PathBuf> {
        self.existing(text).ok_or_else(|| {
            let refused = Error::refused(format!("there is no folder `{text}`"));
            let refused = match self.ini(key) {
                Ok(Some(value)) => refused.at(&self.source, value.span, format!("{key} names it")),
                _ => refused.note(format!("`{key}` in {} names it", self.source.name)),
            };
            refused.hint("--dir FOLDER names the folder with the revisions")
        })
    }

    fn existing(&self, text: &str) -> Option<PathBuf> {
        let text = text.trim();
        let path = match text.split_once(':') {
            Some((package, inner)) => Path::new(&package.replace('.', "/")).join(inner),
            None => PathBuf::from(text),
        };
        // `%(here)s` has been filled in from the root; a bare path is relative to where `alembic`
        // is run, which is the folder of its settings, or the root.
        let sources = self.here.join("src").join(&path);
        [self.here.join(&path), path.clone(), sources]
            .iter()
            .map(|candidate| tidy(candidate))
            .find(|candidate| self.repo.is_folder(candidate))
    }
}
