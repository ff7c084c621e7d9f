//! Names of revision files → the pattern behind them → the next name.
//!
//! Enters: names with the revisions in them, or Alembic's `file_template`. Leaves: [`Pattern`].
//! Must not know: where the files lie.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::super::naming::{SlugStyle, most_frequent};

/// What a file of revisions is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    slug_style: SlugStyle,
    slug_length: usize,
    /// For files that are numbered apart from their revision: the number of the newest.
    last_number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Text(char),
    Revision,
    Slug,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Epoch,
    /// A running number of so many digits.
    Number(usize),
}

const DATE: &[Piece] = &[Piece::Year, Piece::Month, Piece::Day];
const TIME: &[Piece] = &[Piece::Hour, Piece::Minute, Piece::Second];

/// A name taken apart.
struct Parsed<'n> {
    pieces: Vec<Piece>,
    slug: &'n str,
    number: u64,
}

impl Pattern {
    /// The pattern of most of the newest files, else that of the settings, else Alembic's own.
    ///
    /// `newest` holds names without `.py`, newest first, with their revisions.
    pub(super) fn new(
        newest: &[(String, String)],
        template: Option<&str>,
        slug_length: usize,
    ) -> Pattern {
        let parsed: Vec<_> =
            newest.iter().filter_map(|(name, revision)| parse(name, revision)).collect();
        let pieces = most_frequent(parsed.iter().map(|parsed| &parsed.pieces))
            .cloned()
            .or_else(|| template.and_then(of_template))
            .unwrap_or_else(|| vec![Piece::Revision, Piece::Text('_'), Piece::Slug]);
        Pattern {
            slug_style: SlugStyle::infer(parsed.iter().map(|parsed| parsed.slug)),
            slug_length,
            last_number: parsed.iter().map(|parsed| parsed.number).max().unwrap_or(0),
            pieces,
        }
    }

    /// The name, without `.py`, of the file that is `position` files after the newest but one.
    pub(super) fn name(
        &self,
        revision: &str,
        slug: &str,
        position: usize,
        created: NaiveDateTime,
    ) -> String {
        let slug = truncated(&self.slug_style.apply(slug), self.slug_length);
        let mut name = String::new();
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(text) => text.to_string(),
                Piece::Revision => revision.to_owned(),
                Piece::Slug => slug.clone(),
                Piece::Year => format!("{:04}", created.year()),
                Piece::Month => format!("{:02}", created.month()),
                Piece::Day => format!("{:02}", created.day()),
                Piece::Hour => format!("{:02}", created.hour()),
                Piece::Minute => format!("{:02}", created.minute()),
                Piece::Second => format!("{:02}", created.second()),
                Piece::Epoch => created.and_utc().timestamp().to_string(),
                Piece::Number(width) => {
                    let number = self.last_number + position as u64 + 1;
                    format!("{number:0width$}")
                }
            };
            name.push_str(&part);
        }
        name
    }
}

/// A slug as Alembic cuts it: whole words, and a `_` that says there was more.
fn truncated(slug: &str, length: usize) -> String {
    if slug.chars().count() <= length {
        return slug.to_owned();
    }
    let cut: String = slug.chars().take(length).collect();
    let words = cut.rsplit_once('_').map_or(cut.as_str(), |(words, _)| words);
    format!("{words}_")
}

/// Reads `%(year)d_%(month).2d_%(rev)s_%(slug)s`.
fn of_template(template: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(letter) = rest.chars().next() {
        let Some(token) = rest.strip_prefix("%(") else {
            pieces.push(Piece::Text(letter));
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        let (word, after) = token.split_once(')')?;
        pieces.push(match word {
            "rev" => Piece::Revision,
            "slug" => Piece::Slug,
            "year" => Piece::Year,
            "month" => Piece::Month,
            "day" => Piece::Day,
            "hour" => Piece::Hour,
            "minute" => Piece::Minute,
            "second" => Piece::Second,
            "epoch" => Piece::Epoch,
            _ => return None,
        });
        // The conversion: `s`, `d`, `.2d`, `02d`.
        let conversion = after.find(['s', 'd'])?;
        rest = &after[conversion + 1..];
    }
    Some(pieces)
}

/// Takes a name apart; `None` if it shows no pattern that another name could follow.
fn parse<'n>(name: &'n str, revision: &str) -> Option<Parsed<'n>> {
    let mut parsed = Parsed { pieces: Vec::new(), slug: "", number: 0 };
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        let has_revision = parsed.pieces.contains(&Piece::Revision);
        let starts_word = parsed.pieces.last().is_none_or(|piece| matches!(piece, Piece::Text(_)));
        if !has_revision
            && let Some(after) = rest.strip_prefix(revision)
            && starts_word
            && !after.starts_with(char::is_alphanumeric)
        {
            parsed.pieces.push(Piece::Revision);
            rest = after;
        } else if matches!(letter, '_' | '-' | '.' | '/') {
            parsed.pieces.push(Piece::Text(letter));
            rest = &rest[1..];
        } else if let Some((pieces, after)) = date(rest, revision) {
            parsed.pieces.extend(pieces);
            rest = after;
        } else if let Some((number, width, after)) = number(rest)
            && parsed.pieces.is_empty()
        {
            parsed.pieces.push(Piece::Number(width));
            parsed.number = number;
            rest = after;
        } else {
            // The slug is the rest, but for a revision that follows it.
            let end = rest
                .strip_suffix(revision)
                .filter(|_| !has_revision && !revision.is_empty())
                .and_then(|before| before.strip_suffix(['_', '-']));
            parsed.slug = end.unwrap_or(rest);
            parsed.pieces.push(Piece::Slug);
            rest = &rest[parsed.slug.len()..];
        }
    }
    let says_which = |piece: &Piece| matches!(piece, Piece::Revision | Piece::Number(_));
    let is_dated = parsed.pieces.contains(&Piece::Day) && parsed.pieces.contains(&Piece::Slug);
    (is_dated || parsed.pieces.iter().any(says_which)).then_some(parsed)
}

/// A date, and the time if one follows, at the start of a text; each with its separators.
fn date<'t>(text: &'t str, revision: &str) -> Option<(Vec<Piece>, &'t str)> {
    if let Some((_, 10, after)) = number(text)
        && text.starts_with('1')
    {
        return Some((vec![Piece::Epoch], after));
    }
    let goes_on = |rest: &str| rest.starts_with(|next: char| next.is_ascii_digit());
    let (mut pieces, mut rest) = fields(text, DATE)?;
    for time in [TIME, &TIME[..2]] {
        let separated = rest.strip_prefix(['_', '-', 'T', '/']).unwrap_or(rest);
        if let Some((found, after)) = fields(separated, time).filter(|(_, after)| !goes_on(after)) {
            let separator = rest.chars().next().filter(|_| separated != rest);
            pieces.extend(separator.map(Piece::Text));
            pieces.extend(found);
            rest = after;
            break;
        }
    }
    // `0930_01_`: seconds may stand apart from hours and minutes.
    if pieces.last() == Some(&Piece::Minute)
        && let Some(apart) = rest.strip_prefix('_')
        && (revision.is_empty() || !apart.starts_with(revision))
        && let Some((second, after)) = fields(apart, &TIME[2..])
        && after.starts_with(['_', '-'])
    {
        pieces.push(Piece::Text('_'));
        pieces.extend(second);
        rest = after;
    }
    (!goes_on(rest)).then_some((pieces, rest))
}

/// Reads fields of fixed width, all of them joined by one separator or none.
fn fields<'t>(text: &'t str, wanted: &[Piece]) -> Option<(Vec<Piece>, &'t str)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut separator = None;
    for (index, field) in wanted.iter().enumerate() {
        if index > 0 {
            let next = rest.chars().next().filter(|c| matches!(c, '_' | '-' | '/'));
            if index > 1 && next != separator {
                return None;
            }
            separator = next;
            pieces.extend(next.map(Piece::Text));
            rest = next.map_or(rest, |letter| &rest[letter.len_utf8()..]);
        }
        let (width, range) = match field {
            Piece::Year => (4, 1990..=2100),
            Piece::Month => (2, 1..=12),
            Piece::Day => (2, 1..=31),
            Piece::Hour => (2, 0..=23),
            _ => (2, 0..=59),
        };
        let digits = rest.get(..width)?;
        if !digits.bytes().all(|digit| digit.is_ascii_digit())
            || !range.contains(&digits.parse::<u32>().ok()?)
        {
            return None;
        }
        pieces.push(*field);
        rest = &rest[width..];
    }
    Some((pieces, rest))
}

/// A number that is a word of its own: its value, its width, what follows.
fn number(text: &str) -> Option<(u64, usize, &str)> {
    let width = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = &text[width..];
    if width == 0 || !(after.is_empty() || after.starts_with(['_', '-', '.'])) {
        return None;
    }
    Some((text[..width].parse().ok()?, width, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(names: &[(&str, &str)], template: Option<&str>) -> String {
        let newest: Vec<_> = names
            .iter()
            .map(|(name, revision)| ((*name).to_owned(), (*revision).to_owned()))
            .collect();
        let created =
            chrono::NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(9, 30, 1).unwrap();
        Pattern::new(&newest, template, 40).name("98eaeafaa760", "split_full_name", 0, created)
    }

    #[test]
    fn the_newest_names_show_the_pattern() {
        let expected = [
            ("8c2f0e4b1a77_create_users", "8c2f0e4b1a77", "98eaeafaa760_split_full_name"),
            (
                "2026-01-05_09-00_8c2f_add_x",
                "8c2f",
                "2026-11-21_09-30_98eaeafaa760_split_full_name",
            ),
            ("2026_01_05_0900-8c2f_add_x", "8c2f", "2026_11_21_0930-98eaeafaa760_split_full_name"),
            (
                "2026/01/05_0900_12_8c2f_add_x",
                "8c2f",
                "2026/11/21_0930_01_98eaeafaa760_split_full_name",
            ),
            ("20260105_090000_8c2f_add_x", "8c2f", "20261121_093001_98eaeafaa760_split_full_name"),
            ("20260105090000_8c2f_add_x", "8c2f", "20261121093001_98eaeafaa760_split_full_name"),
            ("202601050900_8c2f_add_x", "8c2f", "202611210930_98eaeafaa760_split_full_name"),
            ("2026-01-05_8c2f_add-the-x", "8c2f", "2026-11-21_98eaeafaa760_split-full-name"),
            ("1767603600_8c2f_add_x", "8c2f", "1795253401_98eaeafaa760_split_full_name"),
            ("8c2f_2026_01_05_add_x", "8c2f", "98eaeafaa760_2026_11_21_split_full_name"),
            ("add_x_8c2f", "8c2f", "split_full_name_98eaeafaa760"),
            ("8c2f", "8c2f", "98eaeafaa760"),
            ("0041_add_x", "deadbeef", "0042_split_full_name"),
            ("0041_8c2f_add_x", "8c2f", "0042_98eaeafaa760_split_full_name"),
            ("8c2f_2fa_for_all", "8c2f", "98eaeafaa760_split_full_name"),
            ("8c2f_2026_report", "8c2f", "98eaeafaa760_split_full_name"),
        ];
        for (name, revision, wanted) in expected {
            assert_eq!(next(&[(name, revision)], None), wanted, "after {name}");
        }
    }

    #[test]
    fn the_settings_are_asked_when_no_file_shows_a_pattern() {
        let template = "%(year)d/%(month).2d/%(day)02d-%(hour).2d%(minute).2d_%(rev)s_%(slug)s";
        assert_eq!(next(&[], Some(template)), "2026/11/21-0930_98eaeafaa760_split_full_name");
        assert_eq!(next(&[], None), "98eaeafaa760_split_full_name");
        assert_eq!(
            next(&[("old_style", "8c2f")], Some("%(epoch)s_%(rev)s")),
            "1795253401_98eaeafaa760"
        );
    }

    #[test]
    fn a_majority_of_files_outvotes_the_newest_one() {
        let names = [("2026-01-05_09-00_03_odd", "03"), ("02_add_x", "02"), ("01_add_y", "01")];
        assert_eq!(next(&names, None), "98eaeafaa760_split_full_name");
    }

    #[test]
    fn slugs_are_cut_at_a_word_as_alembic_does() {
        assert_eq!(truncated("add_a_column", 12), "add_a_column");
        assert_eq!(truncated("add_a_column", 11), "add_a_");
        assert_eq!(truncated("column", 3), "col_");
    }
}
