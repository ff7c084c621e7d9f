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
    /// Where `alembic` is run, relative to the root.
    pub home: PathBuf,
    /// What `alembic` is given before its command.
    pub options: Vec<String>,
}

impl Config {
    fn of_script(script: PathBuf) -> Config {
        Config {
            locations: vec![script.join("versions")],
            script,
            recursive: false,
            file_template: None,
            truncate_slug_length: 40,
            home: PathBuf::new(),
            options: Vec::new(),
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
            [home, ..] if home.folder().as_os_str().is_empty() && home.is_default() => {
                read(repo, home)
            }
            several => {
                let names: Vec<_> = several.iter().map(Home::title).collect();
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
    /// `alembic.ini` or `pyproject.toml`, or both of one folder; one section of the first.
    Settings { ini: Option<PathBuf>, toml: Option<PathBuf>, section: String },
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

    /// Whether `alembic` takes it without `-n`.
    fn is_default(&self) -> bool {
        !matches!(self, Home::Settings { section, .. } if section != SECTION)
    }

    /// `alembic.ini`, `alembic.ini [tenant]`.
    fn title(&self) -> String {
        let path = name(self.path());
        match self {
            Home::Settings { section, .. } if section != SECTION => format!("{path} [{section}]"),
            _ => path,
        }
    }
}

/// Every environment of the repository; settings first, and without them the bare scripts.
fn homes(repo: &Repo, files: &[PathBuf]) -> Result<Vec<Home>> {
    let mut homes: Vec<Home> = Vec::new();
    for path in files {
        if file_name(path) != "alembic.ini" {
            continue;
        }
        for section in sections(repo, path) {
            let beside = path.with_file_name("pyproject.toml");
            let toml = is_toml(repo, &beside)?.then_some(beside);
            homes.push(Home::Settings { ini: Some(path.clone()), toml, section });
        }
    }
    for path in files {
        let known = homes.iter().any(|home| Some(home.folder()) == path.parent());
        if file_name(path) == "pyproject.toml" && !known && is_toml(repo, path)? {
            let section = SECTION.to_owned();
            homes.push(Home::Settings { ini: None, toml: Some(path.clone()), section });
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

/// The sections of an `.ini` that are environments, the one that `alembic` takes unasked first.
fn sections(repo: &Repo, path: &Path) -> Vec<String> {
    let ini = Ini::parse(Source::new("", repo.glance(path)));
    let mut found = ini.sections_with("script_location");
    found.retain(|section| section != "DEFAULT");
    // Where others have a location of their own, the usual section may hold no more than settings.
    if found.is_empty() && ini.has(SECTION) {
        found.push(SECTION.to_owned());
    }
    found.sort_by_key(|section| section != SECTION);
    found
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
    let (ini, toml, section) = match home {
        Home::Script(env) => {
            let script = env.parent().unwrap_or(Path::new("")).to_owned();
            return Ok(Config::of_script(script));
        }
        Home::Settings { ini, toml, section } => (ini, toml, section),
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
    let toml = toml.unwrap_or_default();
    let mut config =
        Settings { repo, source: repo.read(home.path())?, here, section, ini, toml }.config()?;
    if config.home != here {
        config.options.extend(["-c".to_owned(), name(home.path())]);
    }
    if section != SECTION {
        config.options.extend(["-n".to_owned(), section.clone()]);
    }
    Ok(config)
}

/// The settings of one folder; each key of the `.ini` goes before that of the `.toml`.
struct Settings<'r> {
    repo: &'r Repo,
    source: Source,
    here: &'r Path,
    section: &'r str,
    ini: Option<Ini>,
    toml: Table,
}

impl Settings<'_> {
    fn ini(&self, key: &str) -> Result<Option<Value>> {
        match &self.ini {
            Some(ini) => ini.get(self.section, key, &name(self.here)),
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
        let home = if self.is_at_home(&location) { self.here } else { Path::new("") };
        let mut config = Config { home: home.to_owned(), ..Config::of_script(script) };
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
        let path = path(text);
        // `%(here)s` has been filled in from the root; a bare path is relative to where `alembic`
        // is run, which is the folder of its settings, or the root. A package may be installed.
        let sources = [self.here.join("src").join(&path), Path::new("src").join(&path)];
        [self.here.join(&path), path]
            .iter()
            .chain(&sources)
            .map(|candidate| tidy(candidate))
            .find(|candidate| self.repo.is_folder(candidate))
    }

    /// Whether `alembic` is run in the folder of its settings: there lies what a script's location
    /// names, and there `prepend_sys_path` begins. Else it is the root.
    fn is_at_home(&self, location: &str) -> bool {
        let raw = match &self.ini {
            Some(ini) => ini.raw(self.section, "script_location").map(|value| value.text.as_str()),
            None => None,
        };
        let toml = || self.toml.get("script_location").and_then(Toml::as_str);
        let path = path(location);
        raw.or_else(toml).is_some_and(|text| text.contains("%(here)s"))
            || [self.here.join(&path), self.here.join("src").join(&path)]
                .iter()
                .any(|candidate| self.repo.is_folder(candidate))
    }
}

/// A location as a path: a folder's, or `package:path`.
fn path(location: &str) -> PathBuf {
    let location = location.trim();
    match location.split_once(':') {
        Some((package, inner)) => Path::new(&package.replace('.', "/")).join(inner),
        None => PathBuf::from(location),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::repo;
    use super::*;

    /// Where `alembic` is run, and with which options.
    fn command(files: &[(&str, &str)], folder: Option<&str>) -> (String, String) {
        let config = find(&repo(files).repo, folder.map(Path::new)).unwrap();
        (name(&config.home), config.options.join(" "))
    }

    #[test]
    fn alembic_is_run_where_its_locations_begin() {
        let env = |folder: &str| (format!("{folder}/env.py"), String::new());
        for (ini, text, script, home, options) in [
            ("alembic.ini", "script_location = db", "db", ".", ""),
            ("app/alembic.ini", "script_location = db", "app/db", "app", ""),
            ("app/alembic.ini", "script_location = %(here)s/db", "app/db", "app", ""),
            ("app/alembic.ini", "script_location = app/db", "app/db", ".", "-c app/alembic.ini"),
            ("app/alembic.ini", "script_location = x:db", "src/x/db", ".", "-c app/alembic.ini"),
        ] {
            let (path, empty) = env(script);
            let text = format!("[alembic]\n{text}\n");
            let found = command(&[(ini, &text), (&path, &empty)], None);
            assert_eq!(found, (home.to_owned(), options.to_owned()), "{ini}: {text}");
        }
    }

    #[test]
    fn a_section_of_its_own_is_an_environment() {
        let text = "[alembic]\nfile_template = x\n[core]\nscript_location = db:core\n\
                    [tenant]\nscript_location = db:tenant\n";
        let files = [("src/a/alembic.ini", text), ("db/core/env.py", ""), ("db/tenant/env.py", "")];
        let refusal = find(&repo(&files).repo, None).unwrap_err().render(false);
        let both = "src/a/alembic.ini [core], src/a/alembic.ini [tenant]";
        assert!(refusal.contains(both), "{refusal}");
        let (home, options) = command(&files, Some("db/tenant"));
        assert_eq!((home.as_str(), options.as_str()), (".", "-c src/a/alembic.ini -n tenant"));
    }
}
