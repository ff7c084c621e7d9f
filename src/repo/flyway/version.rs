//! Flyway's versions: how they compare, and what comes after one.
//!
//! Enters: the part of a name between the prefix and the separator. Leaves: [`Version`]s. Must
//! not know: files.

use std::cmp::Ordering;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

/// Numbers joined by `.` or `_`, as they are written.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
}

impl Version {
    /// Reads `4_0_4`, `003.20260105`; `None` if it is something else.
    pub(super) fn parse(text: &str) -> Option<Version> {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|d| d.is_ascii_digit());
        text.split(['.', '_']).all(is_number).then(|| Version { text: text.to_owned() })
    }

    /// The version as it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn parts(&self) -> Vec<&str> {
        self.text.split(['.', '_']).collect()
    }

    /// What joins the numbers; `.` where there is only one.
    fn separator(&self) -> char {
        self.text.chars().find(|letter| !letter.is_ascii_digit()).unwrap_or('.')
    }

    /// Numbers without leading zeros, and without zeros at the end: 14, 014 and 14.0 are one.
    fn key(&self) -> Vec<(usize, &str)> {
        let mut parts: Vec<_> = self
            .parts()
            .into_iter()
            .map(|part| part.trim_start_matches('0'))
            .map(|part| (part.len(), part))
            .collect();
        while parts.last().is_some_and(|(length, _)| *length == 0) {
            parts.pop();
        }
        parts
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// The versions after the newest, in its style. `newest` holds the greatest first.
pub(super) fn following(newest: &[&Version], count: usize, created: NaiveDateTime) -> Vec<String> {
    let mut known: Vec<Version> = newest.iter().take(2).rev().map(|v| (*v).clone()).collect();
    let before = known.len();
    for _ in 0..count {
        let text = match known.as_slice() {
            [] => "1".to_owned(),
            [.., last] => {
                let previous = known.len().checked_sub(2).map(|index| &known[index]);
                next(last, previous, created)
            }
        };
        known.push(Version { text });
    }
    known.drain(before..).map(|version| version.text).collect()
}

/// The one version after `last`.
fn next(last: &Version, previous: Option<&Version>, created: NaiveDateTime) -> String {
    let parts = last.parts();
    let (tail, head) = parts.split_last().map_or(("", &[][..]), |(tail, head)| (*tail, head));
    let separator = last.separator().to_string();
    let joined = |parts: Vec<String>| parts.join(&separator);
    let owned = |parts: &[&str]| -> Vec<String> { parts.iter().map(|p| (*p).to_owned()).collect() };

    if let Some(stamp) = Stamp::of(tail) {
        let mut numbers = owned(head);
        // `003_20260105090000`: where the number counts as well, it goes on.
        if let Some(number) = numbers.last_mut()
            && let Some(previous) = previous
            && let [.., before, _] = previous.parts().as_slice()
            && incremented(before) == *number
        {
            *number = incremented(number);
        }
        numbers.push(stamp.after(tail, created));
        return joined(numbers);
    }
    let Some(day) = Day::of(&parts) else {
        let mut numbers = owned(head);
        numbers.push(incremented(tail));
        return joined(numbers);
    };
    let is_later = created.date() > day.date;
    let mut numbers =
        if is_later { day.written(created.date()) } else { owned(&parts[..day.parts]) };
    match &parts[day.parts..] {
        [] if is_later => {}
        [] => numbers.push("1".to_owned()),
        [time] if is_time(time) => {
            let now = created.format("%H%M%S").to_string();
            let now = &now[..time.len()];
            numbers.push(if is_later || now > *time { now.to_owned() } else { incremented(time) });
        }
        [counter] if is_later => numbers.push(format!("{:0width$}", 1, width = counter.len())),
        // A counter, or more numbers than we know a meaning for.
        [.., _] => {
            numbers = owned(head);
            numbers.push(incremented(tail));
        }
    }
    joined(numbers)
}

/// A moment written as one number.
#[derive(Clone, Copy)]
enum Stamp {
    /// `20260105090000`
    Seconds,
    /// `202601050900`
    Minutes,
    /// Seconds since 1970
    Epoch,
    /// Milliseconds since 1970
    EpochMillis,
}

impl Stamp {
    fn of(number: &str) -> Option<Stamp> {
        match number.len() {
            14 | 12 => {
                let whole = format!("{number:0<14}");
                let moment = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%S").ok()?;
                let stamp = if number.len() == 14 { Stamp::Seconds } else { Stamp::Minutes };
                plausible(moment.date()).then_some(stamp)
            }
            10 if number.starts_with('1') => Some(Stamp::Epoch),
            13 if number.starts_with('1') => Some(Stamp::EpochMillis),
            _ => None,
        }
    }

    /// The moment of creation, or the one right after `last` if that is not earlier.
    fn after(self, last: &str, created: NaiveDateTime) -> String {
        let calendar = |form: &str, step: TimeDelta| {
            let whole = format!("{last:0<14}");
            let last = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%S");
            let earliest = last.map_or(created, |last| last + step);
            earliest.max(created).format(form).to_string()
        };
        let since_1970 =
            |now: i64| last.parse().map_or(now, |last: i64| now.max(last + 1)).to_string();
        match self {
            Stamp::Seconds => calendar("%Y%m%d%H%M%S", TimeDelta::seconds(1)),
            Stamp::Minutes => calendar("%Y%m%d%H%M", TimeDelta::minutes(1)),
            Stamp::Epoch => since_1970(created.and_utc().timestamp()),
            Stamp::EpochMillis => since_1970(created.and_utc().timestamp_millis()),
        }
    }
}

/// A day at the start of a version.
struct Day {
    date: NaiveDate,
    /// How many numbers it takes: 1 for `20260105`, 3 for `2026.01.05`.
    parts: usize,
    widths: [usize; 3],
}

impl Day {
    fn of(parts: &[&str]) -> Option<Day> {
        if let [whole, ..] = parts
            && whole.len() == 8
            && let Ok(date) = NaiveDate::parse_from_str(whole, "%Y%m%d")
        {
            return plausible(date).then_some(Day { date, parts: 1, widths: [4, 2, 2] });
        }
        let [year, month, day, ..] = parts else {
            return None;
        };
        let number = |part: &str| part.parse::<u32>().ok();
        let date = NaiveDate::from_ymd_opt(year.parse().ok()?, number(month)?, number(day)?)?;
        (year.len() == 4 && plausible(date)).then_some(Day {
            date,
            parts: 3,
            widths: [4, month.len(), day.len()],
        })
    }

    fn written(&self, date: NaiveDate) -> Vec<String> {
        let [_, month, day] = self.widths;
        let numbers = [
            format!("{:04}", date.year()),
            format!("{:0month$}", date.month()),
            format!("{:0day$}", date.day()),
        ];
        if self.parts == 1 { vec![numbers.concat()] } else { numbers.to_vec() }
    }
}

fn plausible(date: NaiveDate) -> bool {
    (1990..=2100).contains(&date.year())
}

/// `0900` or `090000`. Before one o'clock it is taken for a counter with zeros in front.
fn is_time(number: &str) -> bool {
    let within = |range: std::ops::Range<usize>, below: u32| {
        number.get(range).and_then(|part| part.parse().ok()).is_some_and(|value: u32| value < below)
    };
    matches!(number.len(), 4 | 6)
        && !number.starts_with("00")
        && within(0..2, 24)
        && within(2..4, 60)
        && (number.len() == 4 || within(4..6, 60))
}

/// A number of any length plus one, in the same width.
fn incremented(number: &str) -> String {
    let mut digits: Vec<u8> = number.bytes().collect();
    for digit in digits.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            return digits.into_iter().map(char::from).collect();
        }
    }
    format!("1{}", "0".repeat(digits.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn after(newest: &[&str]) -> Vec<String> {
        let newest: Vec<_> = newest.iter().map(|text| version(text)).collect();
        let newest: Vec<_> = newest.iter().collect();
        let created = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let made = following(&newest, 3, created.and_hms_opt(9, 30, 1).unwrap());
        let mut last = newest.first().map(|last| (*last).clone());
        for text in &made {
            let next = version(text);
            assert!(last.is_none_or(|last| last < next), "{text} is not greater");
            last = Some(next);
        }
        made
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version("14"), version("014"));
        assert_eq!(version("14"), version("14.0"));
        assert_eq!(version("4_0_4"), version("4.0.4"));
        assert!(version("9") < version("10"));
        assert!(version("1.2") < version("1.10"));
        assert!(version("2026.01.02.1200") < version("20260101120000"));
        assert!(version("1") < version("340282366920938463463374607431768211457"));
        assert!(Version::parse("1_a").is_none());
        assert!(Version::parse("1__2").is_none());
        assert!(Version::parse("").is_none());
    }

    #[test]
    fn the_next_versions_keep_the_style_of_the_last() {
        let expected: &[(&[&str], [&str; 3])] = &[
            (&[], ["1", "2", "3"]),
            (&["7"], ["8", "9", "10"]),
            (&["007"], ["008", "009", "010"]),
            (&["999"], ["1000", "1001", "1002"]),
            (&["4_0_4"], ["4_0_5", "4_0_6", "4_0_7"]),
            (&["2.44.09"], ["2.44.10", "2.44.11", "2.44.12"]),
            (&["20260105090000"], ["20261121093001", "20261121093002", "20261121093003"]),
            (&["20270101000000"], ["20270101000001", "20270101000002", "20270101000003"]),
            (&["202601050900"], ["202611210930", "202611210931", "202611210932"]),
            (&["1767603600"], ["1795253401", "1795253402", "1795253403"]),
            (&["4_99_1767603600"], ["4_99_1795253401", "4_99_1795253402", "4_99_1795253403"]),
            (
                &["003_20260105090000", "002_20260101090000"],
                ["004_20261121093001", "005_20261121093002", "006_20261121093003"],
            ),
            (
                &["2_20260105090000", "2_20260101090000"],
                ["2_20261121093001", "2_20261121093002", "2_20261121093003"],
            ),
            (&["20260105"], ["20261121", "20261121.1", "20261121.2"]),
            (&["20261121_01"], ["20261121_02", "20261121_03", "20261121_04"]),
            (&["20260105_07"], ["20261121_01", "20261121_02", "20261121_03"]),
            (&["2026.01.02.1200"], ["2026.11.21.0930", "2026.11.21.0931", "2026.11.21.0932"]),
            (&["2026.1.2"], ["2026.11.21", "2026.11.21.1", "2026.11.21.2"]),
        ];
        for (newest, wanted) in expected {
            assert_eq!(after(newest), *wanted, "after {newest:?}");
        }
    }
}
