//! A folder of SQL migrations → sources in the order in which they ran, ups only.
//!
//! Enters: every `.sql` file of the folder, named by its path. Leaves: those a runner would have
//! run, in its order; parts of a file that go down are blanked out, so that places stay right. Must
//! not know: what is in them, beyond the runners' own comment lines.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::source::Source;

/// How a file takes part.
enum Place {
    /// Runs in order of its version.
    Versioned(Vec<Number>),
    /// Flyway: stands for every version up to this one.
    Baseline(Vec<Number>),
    /// Flyway: runs behind all versions.
    Repeatable,
    /// Runs in order of its name, if no file has a version.
    Plain,
    /// A way back, or a file that runners pass over.
    Left,
}

/// Digits of any length, without leading zeros: shorter is smaller.
type Number = String;

pub fn order(files: Vec<Source>) -> Result<Vec<Source>> {
    let flyway = files.iter().any(|file| is_flyway(file_name(&file.name)));
    let mut versioned: Vec<(Vec<Number>, Source)> = Vec::new();
    let mut baseline: Option<(Vec<Number>, Source)> = None;
    let (mut repeatable, mut plain) = (Vec::new(), Vec::new());
    for file in files {
        match place(&file.name, flyway) {
            Place::Versioned(version) => versioned.push((version, file)),
            Place::Baseline(version) => {
                let later = baseline
                    .as_ref()
                    .is_none_or(|(last, _)| compare(last, &version) == Ordering::Less);
                if later {
                    baseline = Some((version, file));
                }
            }
            Place::Repeatable => repeatable.push(file),
            Place::Plain => plain.push(file),
            Place::Left => {}
        }
    }
    versioned.sort_by(|(one, a), (other, b)| compare(one, other).then_with(|| a.name.cmp(&b.name)));
    if let Some(pair) =
        versioned.windows(2).find(|pair| compare(&pair[0].0, &pair[1].0) == Ordering::Equal)
    {
        let (one, other) = (&pair[0].1.name, &pair[1].1.name);
        return Err(Error::refused(format!("`{one}` and `{other}` have the same version"))
            .note("the order in which they ran cannot be told")
            .hint("give one of them a version of its own, or name a single schema file"));
    }
    let mut ordered: Vec<Source> = Vec::new();
    if let Some((version, file)) = baseline {
        versioned.retain(|(own, _)| compare(own, &version) == Ordering::Greater);
        ordered.push(file);
    }
    // Runners pass over files without a version where others have one.
    if versioned.is_empty() && ordered.is_empty() {
        plain.sort_by(|a, b| a.name.cmp(&b.name));
        ordered.extend(plain);
    }
    ordered.extend(versioned.into_iter().map(|(_, file)| file));
    repeatable.sort_by(|a, b| a.name.cmp(&b.name));
    ordered.extend(repeatable);
    Ok(ordered.into_iter().map(only_up).collect())
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn folder_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).nth(1).unwrap_or("")
}

/// `V1__name.sql`, `R__name.sql`.
fn is_flyway(name: &str) -> bool {
    name.starts_with('V') && flyway_version(&name[1..]).is_some()
}

fn place(path: &str, flyway: bool) -> Place {
    let name = file_name(path);
    let lower = name.to_ascii_lowercase();
    let Some(stem) = lower.strip_suffix(".sql") else {
        return Place::Left;
    };
    if flyway {
        let rest = name.get(1..).unwrap_or("");
        return match (name.as_bytes()[0], flyway_version(rest)) {
            (b'V', Some(version)) => Place::Versioned(version),
            (b'B', Some(version)) => Place::Baseline(version),
            (b'R', _) if rest.starts_with("__") => Place::Repeatable,
            _ => Place::Left,
        };
    }
    let back = ["down", "undo", "rollback"];
    if back.contains(&stem.rsplit('.').next().unwrap_or(stem)) {
        return Place::Left;
    }
    // Diesel's and Prisma's folders carry the version for the file.
    let versioned = if matches!(stem, "up" | "migration") { folder_name(path) } else { name };
    match leading_version(versioned) {
        Some(version) => Place::Versioned(version),
        None => Place::Plain,
    }
}

/// `1_2.3__name.sql` and `1_2.3.sql` → 1, 2, 3.
fn flyway_version(rest: &str) -> Option<Vec<Number>> {
    let version = match rest.split_once("__") {
        Some((version, _)) => version,
        None => rest.strip_suffix(".sql")?,
    };
    version.split(['_', '.']).map(number).collect()
}

fn number(digits: &str) -> Option<Number> {
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all.then(|| digits.trim_start_matches('0').to_owned())
}

/// `0042_name.sql`, `2026-01-02-000000_name`, `20260102T1200-name.sql` → one number.
fn leading_version(name: &str) -> Option<Vec<Number>> {
    let end = name.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(name.len());
    let digits: String = name[..end].chars().filter(char::is_ascii_digit).collect();
    // `1.2.3-name.sql`: each part counts.
    let mut version = vec![number(&digits)?];
    let mut rest = &name[end..];
    while let Some(after) = rest.strip_prefix('.') {
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let Some(part) = number(&after[..end]) else {
            break;
        };
        version.push(part);
        rest = &after[end..];
    }
    Some(version)
}

/// Part by part, by value; a missing part is zero.
fn compare(one: &[Number], other: &[Number]) -> Ordering {
    let value = |parts: &[Number], at: usize| {
        let digits = parts.get(at).map_or("", String::as_str).to_owned();
        (digits.len(), digits)
    };
    (0..one.len().max(other.len()))
        .map(|at| value(one, at).cmp(&value(other, at)))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// The direction a runner's comment line switches to.
fn direction(line: &str) -> Option<bool> {
    let comment = line.trim().strip_prefix("--")?.trim();
    let words: Vec<String> =
        comment.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["migrate:up", ..] | ["+goose" | "+migrate", "up"] | ["up", "migration"] => Some(true),
        ["migrate:down", ..] | ["+goose" | "+migrate", "down"] | ["down", "migration"] => {
            Some(false)
        }
        _ => None,
    }
}

/// Blanks out the way back, and what stands before the first marker, byte by byte.
fn only_up(mut file: Source) -> Source {
    if !file.text.lines().any(|line| direction(line).is_some()) {
        return file;
    }
    let mut text = String::with_capacity(file.text.len());
    let mut up = false;
    for line in file.text.split_inclusive('\n') {
        let marker = direction(line);
        up = marker.unwrap_or(up);
        if up && marker.is_none() {
            text.push_str(line);
        } else {
            text.extend(line.bytes().map(|byte| match byte {
                b'\n' | b'\r' => char::from(byte),
                _ => ' ',
            }));
        }
    }
    file.text = text;
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str]) -> Vec<String> {
        let files = files.iter().map(|name| Source::new(*name, "")).collect();
        let ordered = order(files).expect("an order");
        ordered.into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn flyway_versions_compare_by_number_and_repeatables_come_last() {
        assert_eq!(
            names(&[
                "sql/R__view.sql",
                "sql/V10__c.sql",
                "sql/V2_1__b.sql",
                "sql/V2__a.sql",
                "sql/U2__undo.sql",
                "sql/V3_typo.sql",
            ]),
            ["sql/V2__a.sql", "sql/V2_1__b.sql", "sql/V10__c.sql", "sql/R__view.sql"]
        );
        assert_eq!(
            names(&["V1__a.sql", "V2__b.sql", "B2__all.sql", "V3__c.sql"]),
            ["B2__all.sql", "V3__c.sql"]
        );
    }

    #[test]
    fn ups_only_in_numeric_order() {
        assert_eq!(
            names(&["10_b.up.sql", "10_b.down.sql", "9_a.up.sql", "9_a.down.sql", "seed.sql"]),
            ["9_a.up.sql", "10_b.up.sql"]
        );
        assert_eq!(
            names(&[
                "m/2020-01-02-000000_b/up.sql",
                "m/2020-01-02-000000_b/down.sql",
                "m/2020-01-01-000000_a/up.sql"
            ]),
            ["m/2020-01-01-000000_a/up.sql", "m/2020-01-02-000000_b/up.sql"]
        );
        assert_eq!(names(&["b.sql", "a.sql", "README.md"]), ["a.sql", "b.sql"]);
    }

    #[test]
    fn one_version_twice_is_refused() {
        let files = vec![Source::new("V1__a.sql", ""), Source::new("V1.0__b.sql", "")];
        let error = order(files).expect_err("a refusal");
        assert_eq!(error.message(), "`V1.0__b.sql` and `V1__a.sql` have the same version");
    }

    #[test]
    fn the_way_down_is_blanked_out_in_place() {
        let text = "-- migrate:up\nCREATE TABLE é (a int);\n-- migrate:down\nDROP TABLE é;\n";
        let ordered = order(vec![Source::new("1_a.sql", text)]).expect("an order");
        assert_eq!(ordered[0].text.len(), text.len());
        assert_eq!(ordered[0].text.find("CREATE"), text.find("CREATE"));
        assert!(!ordered[0].text.contains("DROP"));
    }
}
