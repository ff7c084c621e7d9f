//! Lines of models as a diff: class by class, and what stands in a list of the class inside that list.

use crate::plan::ModelChange;

/// What opens and closes a list of a class, as it is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List {
    pub(super) before: &'static [&'static str],
    pub(super) after: &'static [&'static str],
}

pub(super) struct Line {
    /// `+`, `-`, or a space.
    mark: char,
    /// Where it stands; `None` for the body of the class.
    list: Option<List>,
    text: String,
}

impl Line {
    /// An attribute of the class.
    pub(super) fn field(mark: char, text: &str) -> Line {
        Line { mark, list: None, text: format!("    {text}") }
    }

    /// An element of the list, one step further in than its bracket.
    pub(super) fn listed(mark: char, list: List, text: &str) -> Line {
        let bracket = list.before.last().map_or("", |line| line);
        let indent = bracket.len() - bracket.trim_start().len() + 4;
        Line { mark, list: Some(list), text: format!("{:indent$}{text},", "") }
    }
}

/// A line with its own indentation.
pub(super) fn whole(mark: char, text: String) -> Line {
    Line { mark, list: None, text }
}

/// Where several tables change, each is named above its lines.
pub(super) fn diff(
    changes: &[&ModelChange],
    lines: impl Fn(&ModelChange) -> Vec<Line>,
) -> Vec<String> {
    let mut tables: Vec<(&str, Vec<Line>)> = Vec::new();
    for change in changes {
        let new = lines(change);
        let name = change.table().name.as_str();
        match tables.iter_mut().find(|(known, _)| *known == name) {
            _ if new.is_empty() => {}
            Some((_, lines)) => lines.extend(new),
            None => tables.push((name, new)),
        }
    }
    let several = tables.len() > 1;
    let mut text = Vec::new();
    for (name, lines) in &tables {
        if several {
            text.push(format!(" # {name}"));
        }
        text.extend(class(lines));
    }
    text
}

fn class(lines: &[Line]) -> Vec<String> {
    let within = |list: Option<List>| {
        lines
            .iter()
            .filter(move |line| line.list == list)
            .map(|line| format!("{}{}", line.mark, line.text))
    };
    let mut lists: Vec<List> = Vec::new();
    for list in lines.iter().filter_map(|line| line.list) {
        if !lists.contains(&list) {
            lists.push(list);
        }
    }
    let mut text: Vec<String> = within(None).collect();
    for list in lists {
        for line in list.before.iter().map(|line| format!(" {line}")) {
            if !text.contains(&line) {
                text.push(line);
            }
        }
        text.extend(within(Some(list)));
        text.extend(list.after.iter().map(|line| format!(" {line}")));
    }
    text
}
