//! Flyway's settings, in whichever of its seven homes they live.
//!
//! Enters: `flyway.toml`, `flyway.conf`, Maven, Gradle, Spring and compose files. Leaves:
//! [`Config`]. They are read line by line, not by their grammars: a key is told by its letters,
//! a location by its `filesystem:` or `classpath:`. Must not know: migrations.

use std::path::{Path, PathBuf};

use super::super::settings::unquoted;
use super::super::{Repo, file_name, tidy};
use super::{Placeholders, Spring};

/// Where Maven and Gradle keep what is on the class path.
const RESOURCES: &[&str] = &["src/main/resources", "src/main/java", "src/main/kotlin", ""];

/// What is set; what is not has Flyway's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    /// Existing folders.
    pub locations: Vec<PathBuf>,
    pub prefix: String,
    pub separator: String,
    pub suffix: String,
    pub placeholders: Placeholders,
    pub group: bool,
    /// What a Spring application does as it starts, where this is one.
    pub spring: Option<Spring>,
    pub pages: Vec<Page>,
}

/// A settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub path: PathBuf,
    text: String,
    /// The existing folders that it names.
    pub locations: Vec<PathBuf>,
}

impl Page {
    fn read(repo: &Repo, path: &Path) -> Page {
        let mut page =
            Page { path: path.to_owned(), text: repo.glance(path), locations: Vec::new() };
        page.locations = locations(repo, &page);
        page
    }

    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The first value of a key.
    pub(super) fn setting(&self, key: &str) -> Option<String> {
        setting(&self.text, key)
    }

    /// Whether it is part of a Spring Boot application.
    fn is_spring(&self) -> bool {
        let file = file_name(&self.path);
        let is_build = file == "pom.xml" || file.starts_with("build.gradle");
        is_build && self.text.contains("spring-boot")
            || file.starts_with("application") && self.text.contains("spring")
    }
}

pub(super) fn read(repo: &Repo, files: &[PathBuf]) -> Config {
    let pages: Vec<Page> =
        files.iter().filter(|path| is_settings(path)).map(|path| Page::read(repo, path)).collect();
    let text = |key: &str| pages.iter().find_map(|page| setting(&page.text, key));
    let is = |key: &str, wanted: &str| {
        pages.iter().any(|page| settings(&page.text, key).any(|value| value == wanted))
    };
    let mut locations: Vec<PathBuf> = Vec::new();
    for path in pages.iter().flat_map(|page| &page.locations) {
        if !locations.contains(path) {
            locations.push(path.clone());
        }
    }
    let of_spring = |page: &&Page| file_name(&page.path).starts_with("application");
    let spring = pages.iter().any(Page::is_spring).then(|| Spring {
        lock_disabled: pages
            .iter()
            .filter(of_spring)
            .any(|page| page.setting("transactionallock").as_deref() == Some("false")),
    });
    Config {
        locations,
        prefix: text("sqlmigrationprefix").unwrap_or_else(|| "V".to_owned()),
        separator: text("sqlmigrationseparator").unwrap_or_else(|| "__".to_owned()),
        suffix: text("sqlmigrationsuffixes")
            .and_then(|list| list.split(',').next().map(|first| unlisted(first).to_owned()))
            .unwrap_or_else(|| ".sql".to_owned()),
        placeholders: if is("placeholderreplacement", "false") {
            Placeholders::Off
        } else {
            Placeholders::On {
                prefix: text("placeholderprefix").unwrap_or_else(|| "${".to_owned()),
                used: pages.iter().any(|page| defines_placeholders(&page.text)),
            }
        },
        group: is("group", "true"),
        spring,
        pages,
    }
}

/// The settings files that speak of Flyway.
pub(super) fn signs(repo: &Repo, files: &[PathBuf]) -> Vec<PathBuf> {
    let mut signs = Vec::new();
    for path in files.iter().filter(|path| is_settings(path)) {
        let is_own = file_name(path).starts_with("flyway");
        if is_own || repo.glance(path).to_lowercase().contains("flyway") {
            signs.push(path.clone());
        }
    }
    signs
}

fn defines_placeholders(text: &str) -> bool {
    text.lines().map(str::trim).filter(|line| !is_comment(line)).any(|line| {
        line.contains("flyway.placeholders.")
            || ["[flyway.placeholders]", "<placeholders>", "placeholders:", "placeholders ="]
                .iter()
                .any(|start| line.starts_with(start))
    })
}

/// Whether a file may hold settings of Flyway. What only tests use does not count.
fn is_settings(path: &Path) -> bool {
    let name = file_name(path);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let is_named = matches!(
        name,
        "flyway.toml"
            | "flyway.user.toml"
            | "pom.xml"
            | "build.gradle"
            | "build.gradle.kts"
            | ".env"
    ) || name.starts_with("flyway") && ends(&[".conf", ".properties"])
        || name.starts_with("application") && ends(&[".properties", ".yml", ".yaml"])
        || (name.contains("compose")) && ends(&[".yml", ".yaml"]);
    is_named && !path.components().any(|part| part.as_os_str() == "test")
}

fn is_comment(line: &str) -> bool {
    ["#", "//", "<!--", "*", ";"].iter().any(|mark| line.starts_with(mark))
}

/// The first value of a key.
fn setting(text: &str, key: &str) -> Option<String> {
    settings(text, key).next()
}

/// The values of a key, given by its letters in lower case: `transactionallock` is
/// `flyway.postgresql.transactional.lock`, `transactional-lock` and `<transactionalLock>`.
fn settings<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = String> + 't {
    // A line of Gradle or TOML may set several: `[postgresqlTransactionalLock: 'false', …]`.
    text.lines()
        .map(str::trim)
        .filter(|line| !is_comment(line))
        .filter_map(move |line| {
            let at = line.find(['=', ':', '>'])?;
            let (mut name, mut value) = (&line[..at], &line[at + 1..]);
            while !letters(name).ends_with(key) {
                let at = value.find(['=', ':', '>'])?;
                (name, value) = (&value[..at], &value[at + 1..]);
            }
            let value = value.split("</").next().unwrap_or(value);
            let value = value.split(" #").next().unwrap_or(value);
            Some(unlisted(value).to_owned())
        })
        .filter(|value| !value.is_empty())
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// A value without brackets, commas and quotes around it.
fn unlisted(value: &str) -> &str {
    unquoted(value.trim().trim_matches(['[', ']', '{', '}', ',', ' ', ';'])).trim()
}

/// The folders a page names, as far as they exist.
fn locations(repo: &Repo, page: &Page) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for line in page.text.lines().map(str::trim).filter(|line| !is_comment(line)) {
        for (scheme, homes) in [("filesystem:", &[""][..]), ("classpath:", RESOURCES)] {
            for after in line.split(scheme).skip(1) {
                let end = after.find(['"', '\'', ',', '<', ']', ' ', ';']).unwrap_or(after.len());
                found.extend(existing(repo, page.folder(), homes, &after[..end]));
            }
        }
    }
    // Without a scheme it is the class path.
    for list in settings(&page.text, "flywaylocations") {
        for place in list.split(',').map(unlisted).filter(|place| !place.contains(':')) {
            found.extend(existing(repo, page.folder(), RESOURCES, place));
        }
    }
    found
}

fn existing(repo: &Repo, folder: &Path, homes: &[&str], place: &str) -> Option<PathBuf> {
    let base = [
        "${project.basedir}/",
        "${basedir}/",
        "${projectDir}/",
        "$projectDir/",
        "${rootDir}/",
        "$rootDir/",
    ];
    let place = base.iter().find_map(|base| place.strip_prefix(base)).unwrap_or(place);
    // What follows a wildcard, or the name of the server, is found by looking into the folder.
    let fixed: PathBuf = Path::new(place)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '{', '$']))
        .collect();
    // `classpath:/db` counts from the same place as `classpath:db`.
    let fixed = if homes == RESOURCES {
        fixed.strip_prefix("/").unwrap_or(&fixed).to_owned()
    } else {
        fixed
    };
    if fixed.as_os_str().is_empty() {
        return None;
    }
    homes
        .iter()
        .flat_map(|home| [folder.join(home).join(&fixed), Path::new(home).join(&fixed)])
        .map(|path| tidy(&path))
        .find(|path| repo.is_folder(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_every_form() {
        for text in [
            "flyway.postgresql.transactional.lock=false",
            "[flyway.postgresql]\ntransactional.lock = false # hangs",
            "spring:\n  flyway:\n    postgresql:\n      transactional-lock: false",
            "<postgresqlTransactionalLock>false</postgresqlTransactionalLock>",
            "pluginConfiguration = [postgresqlTransactionalLock: 'false']",
            "FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK: \"false\"",
        ] {
            assert_eq!(setting(text, "transactionallock").as_deref(), Some("false"), "{text}");
        }
        assert_eq!(setting("# flyway.group=true", "group"), None);
        assert_eq!(setting("flyway.group=", "group"), None);
    }
}
