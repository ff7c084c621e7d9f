//! SQL of several lines, at the head of a Python file under a name.

use serde::Serialize;

#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Constants(Vec<Constant>);

#[derive(Serialize)]
struct Constant {
    comment: Vec<String>,
    name: String,
    /// A Python literal.
    value: String,
}

impl Constants {
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|constant| constant.value.as_str())
    }

    /// The name under which a value is kept: the same value has one name, and what was said above
    /// another is not said again.
    pub(super) fn name(&mut self, wanted: &str, comment: &[String], value: String) -> String {
        if let Some(known) = self.0.iter().find(|known| known.value == value) {
            return known.name.clone();
        }
        let mut name = wanted.to_owned();
        let mut number = 1;
        while self.0.iter().any(|known| known.name == name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        let said = self.0.iter().any(|known| known.comment == comment);
        let comment = if said { Vec::new() } else { comment.to_vec() };
        self.0.push(Constant { comment, name: name.clone(), value });
        name
    }
}
