//! How a house writes names, seen from the names it has.
//!
//! Enters: names of files, newest first. Leaves: the style of the words in them. Must not know:
//! which framework the files are for.

/// How the words of a file's name are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SlugStyle {
    /// `split_full_name`
    #[default]
    Snake,
    /// `split-full-name`
    Kebab,
    /// `Split_full_name`
    Sentence,
    /// `SplitFullName`
    Pascal,
}

impl SlugStyle {
    /// The style most of these slugs are in; of two that are as frequent, the first one's.
    pub fn infer<'a>(slugs: impl IntoIterator<Item = &'a str>) -> SlugStyle {
        most_frequent(slugs.into_iter().filter_map(SlugStyle::of)).unwrap_or_default()
    }

    /// The style of a slug; `None` if it is one word that says nothing, or a mixture.
    fn of(slug: &str) -> Option<SlugStyle> {
        let mut letters = slug.chars().filter(|letter| letter.is_alphabetic());
        let first_is_upper = letters.next()?.is_uppercase();
        let upper = letters.filter(|letter| letter.is_uppercase()).count();
        match (slug.contains('_'), slug.contains('-')) {
            (true, false) if first_is_upper => Some(SlugStyle::Sentence),
            (true, false) => Some(SlugStyle::Snake),
            (false, true) => Some(SlugStyle::Kebab),
            (false, false) if first_is_upper && upper > 0 => Some(SlugStyle::Pascal),
            _ => None,
        }
    }

    /// Writes a slug given in snake case.
    pub fn apply(self, slug: &str) -> String {
        match self {
            SlugStyle::Snake => slug.to_owned(),
            SlugStyle::Kebab => slug.replace('_', "-"),
            SlugStyle::Sentence => capitalised(slug),
            SlugStyle::Pascal => slug.split('_').map(capitalised).collect(),
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The value that occurs most often; of several, the one that occurs first.
pub(super) fn most_frequent<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut counted: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counted.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counted.push((value, 1)),
        }
    }
    // `max_by_key` takes the last of equals.
    counted.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_of_most_files_wins_and_ties_go_to_the_newest() {
        assert_eq!(SlugStyle::infer(["add-users", "add_posts", "drop_x"]), SlugStyle::Snake);
        assert_eq!(SlugStyle::infer(["add-users", "add_posts"]), SlugStyle::Kebab);
        assert_eq!(SlugStyle::infer(["init", "users"]), SlugStyle::Snake);
        assert_eq!(SlugStyle::infer(["Create_person_table"]), SlugStyle::Sentence);
        assert_eq!(SlugStyle::infer(["CreatePerson"]), SlugStyle::Pascal);
    }

    #[test]
    fn a_slug_is_written_in_each_style() {
        assert_eq!(SlugStyle::Snake.apply("split_name_2"), "split_name_2");
        assert_eq!(SlugStyle::Kebab.apply("split_name_2"), "split-name-2");
        assert_eq!(SlugStyle::Sentence.apply("split_name_2"), "Split_name_2");
        assert_eq!(SlugStyle::Pascal.apply("split_name_2"), "SplitName2");
    }
}
