//! Definitions that the migrations have already: kept as somebody wrote them, but for what changes.

use crate::catalog::Column;
use crate::dialect::Dialect;
use crate::package::python::Py;
use crate::package::types;
use crate::plan::Field;
use crate::repo::django::{self, Definition, Listed, Model};

pub(crate) fn definition(definition: &Definition) -> Py {
    let parsed = |(name, text): &(String, String)| (name.clone(), Py::parse(text));
    Py::Call {
        function: definition.kind.clone(),
        args: definition.arguments.iter().map(|text| Py::parse(text)).collect(),
        kwargs: definition.keywords.iter().map(parsed).collect(),
    }
}

/// The field as the column is now; help texts, choices and validators stay.
pub(crate) fn altered(
    dialect: Dialect,
    known: &django::Field,
    before: &Field,
    after: &Field,
) -> Option<Py> {
    let Py::Call { mut function, args, mut kwargs } = definition(&known.definition) else {
        return None;
    };
    let is_reference = known.definition.keyword("on_delete").is_some();
    // A foreign key is of the type of what it points to.
    if before.column.ty != after.column.ty && !is_reference {
        let new = types::django(&after.column.ty)?;
        let was = types::django(&before.column.ty);
        if was.as_ref().is_none_or(|was| was.class != new.class) {
            function = new.name();
        }
        let said: Vec<String> = kwargs.iter().map(|(name, _)| name.clone()).collect();
        let types = || was.iter().chain([&new]).flat_map(|ty| &ty.args);
        kwargs.retain(|(name, _)| !types().any(|(of_the_type, _)| of_the_type == name));
        let own = new.args.into_iter().map(|(name, value)| (name.to_owned(), Py::parse(&value)));
        // A class of the project's own may give them itself.
        let taken = own.filter(|(name, _)| function.starts_with("models.") || said.contains(name));
        kwargs.splice(0..0, taken);
    }
    if before.column.default != after.column.default {
        let class = types::django(&after.column.ty)?.class;
        let value = |column: &Column| match &column.default {
            Some(default) => super::value(dialect, class, default).map(Some),
            None => Some(None),
        };
        let was = value(&before.column).flatten().and_then(|was| was.own);
        let new = value(&after.column)?;
        // What the application gives by itself is its own.
        kwargs.retain(|(name, own)| {
            name != "db_default" && (name != "default" || was.as_ref() != Some(own))
        });
        if let Some(super::Value { own, stored }) = new {
            if !kwargs.iter().any(|(name, _)| name == "default") {
                kwargs.extend(own.map(|own| ("default".to_owned(), own)));
            }
            set(&mut kwargs, "db_default", Some(stored));
        }
    }
    if before.column.comment != after.column.comment {
        set(&mut kwargs, "db_comment", after.column.comment.as_deref().map(Py::str));
    }
    let truth = |is: bool| is.then(|| Py::raw("True"));
    if before.column.not_null != after.column.not_null {
        set(&mut kwargs, "null", truth(!after.column.not_null));
    }
    if before.unique.is_some() != after.unique.is_some() {
        set(&mut kwargs, "unique", truth(after.unique.is_some()));
    }
    Some(Py::Call { function, args, kwargs })
}

/// What a column's new name does to the models.
pub(crate) struct Renaming<'m> {
    /// The name of the field before.
    pub(crate) field: &'m str,
    pub(crate) known: &'m django::Field,
    pub(crate) to: RenamedTo,
    /// What names the field, and the same as it is afterwards.
    pub(crate) follow: Vec<(Listed<'m>, Py)>,
}

pub(crate) enum RenamedTo {
    /// The field has its column's name, and follows it.
    Field(String),
    /// The field keeps its name; this says where it is stored.
    Column(Py),
}

pub(crate) fn renaming<'m>(model: &'m Model, from: &str, to: &str) -> Option<Renaming<'m>> {
    let (field, known) = model.field_of(from)?;
    let is_reference = known.definition.keyword("on_delete").is_some();
    let new = if is_reference { to.strip_suffix("_id") } else { Some(to) };
    let is_said = known.definition.keyword("db_column").is_some();
    let Some(new) = new.filter(|new| super::is_name(new) && !is_said) else {
        let own = if is_reference { format!("{field}_id") } else { field.to_owned() };
        let definition = in_column(known, (to != own).then_some(to));
        return Some(Renaming { field, known, to: RenamedTo::Column(definition), follow: vec![] });
    };
    let follow = model
        .listed()
        .filter(|listed| mentions(listed.definition, field))
        .map(|listed| (listed, renamed(&definition(listed.definition), field, new)))
        .collect();
    Some(Renaming { field, known, to: RenamedTo::Field(new.to_owned()), follow })
}

/// The field in a column of that name; `None` where its own name says so.
fn in_column(known: &django::Field, column: Option<&str>) -> Py {
    let mut call = definition(&known.definition);
    if let Py::Call { kwargs, .. } = &mut call {
        set(kwargs, "db_column", column.map(Py::str));
    }
    call
}

/// The field with that comment in the database.
pub(crate) fn commented(known: &django::Field, text: Option<&str>) -> Py {
    let mut call = definition(&known.definition);
    if let Py::Call { kwargs, .. } = &mut call {
        set(kwargs, "db_comment", text.map(Py::str));
    }
    call
}

/// Without the argument `unique`: a constraint of its own said it, and is gone.
pub(crate) fn not_unique(known: &django::Field) -> Py {
    let mut call = definition(&known.definition);
    if let Py::Call { kwargs, .. } = &mut call {
        set(kwargs, "unique", None);
    }
    call
}

pub(super) fn is_q(function: &str) -> bool {
    function.rsplit(['.', '~']).next() == Some("Q")
}

fn set(kwargs: &mut Vec<(String, Py)>, name: &str, value: Option<Py>) {
    let at = kwargs.iter().position(|(known, _)| known == name);
    match (at, value) {
        (Some(at), Some(value)) => kwargs[at].1 = value,
        (Some(at), None) => {
            kwargs.remove(at);
        }
        (None, Some(value)) => kwargs.push((name.to_owned(), value)),
        (None, None) => {}
    }
}

/// An index or constraint that follows its field to another name.
fn renamed(py: &Py, old: &str, new: &str) -> Py {
    let again = |value: &Py| renamed(value, old, new);
    let field = |value: &Py| match value {
        Py::Str(name) if name == old => Py::str(new),
        Py::Str(name) if name.strip_prefix('-') == Some(old) => Py::Str(format!("-{new}")),
        other => again(other),
    };
    // `created__lt`
    let lookup = |name: &str| match name.strip_prefix(old) {
        Some(rest) if rest.is_empty() || rest.starts_with("__") => format!("{new}{rest}"),
        _ => name.to_owned(),
    };
    match py {
        Py::Call { function, args, kwargs } => {
            let is_q = is_q(function);
            let argument = |value: &Py| match value {
                Py::Tuple(pair) if is_q => match pair.as_slice() {
                    [Py::Str(name), value] => Py::Tuple(vec![Py::Str(lookup(name)), again(value)]),
                    _ => again(value),
                },
                other => field(other),
            };
            let keyword = |(name, value): &(String, Py)| match (name.as_str(), value) {
                ("fields" | "include", Py::List(names)) => {
                    (name.clone(), Py::List(names.iter().map(field).collect()))
                }
                ("fields" | "include", Py::Tuple(names)) => {
                    (name.clone(), Py::Tuple(names.iter().map(field).collect()))
                }
                _ if is_q => (lookup(name), again(value)),
                _ => (name.clone(), again(value)),
            };
            Py::Call {
                function: function.clone(),
                args: args.iter().map(argument).collect(),
                kwargs: kwargs.iter().map(keyword).collect(),
            }
        }
        Py::Joined { operator, values } => {
            Py::Joined { operator, values: values.iter().map(again).collect() }
        }
        other => other.clone(),
    }
}

/// Whether an index or constraint is about a field.
pub(crate) fn mentions(definition: &Definition, field: &str) -> bool {
    let call = self::definition(definition);
    // No field has such a name.
    renamed(&call, field, "") != call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_name_the_field_stays() {
        let call = Py::parse(r#"models.UniqueConstraint(fields=("a", "b"), name="u")"#);
        assert_eq!(renamed(&call, "c", "d"), call);
    }

    #[test]
    fn only_the_field_is_renamed() {
        let renamed = |text: &str| renamed(&Py::parse(text), "a", "b").one_line().unwrap();
        for (before, after) in [
            (
                r#"models.Index(fields=["a", "-a", "ab"], name="a")"#,
                r#"models.Index(fields=["b", "-b", "ab"], name="a")"#,
            ),
            (r#"models.Q(a__gt=1, ab=2, c="a")"#, r#"models.Q(b__gt=1, ab=2, c="a")"#),
            (
                r#"models.Q(("a__gt", "a"), _negated=True)"#,
                r#"models.Q(("b__gt", "a"), _negated=True)"#,
            ),
            (
                r#"~models.Q(a=1) | models.Q(c=models.F("a"))"#,
                r#"~models.Q(b=1) | models.Q(c=models.F("b"))"#,
            ),
            (
                r#"models.UniqueConstraint(Lower("a"), name="u")"#,
                r#"models.UniqueConstraint(Lower("b"), name="u")"#,
            ),
        ] {
            assert_eq!(renamed(before), after);
        }
    }
}
