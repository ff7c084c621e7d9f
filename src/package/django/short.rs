//! What `makemigrations` writes, as a person writes it into a model.

use super::known::is_q;
use crate::package::python::Py;

/// Names without their modules, lookups as keywords, fields in lists.
pub(crate) fn short(py: &Py) -> Py {
    const MODULES: &[(&str, &str)] = &[
        ("django.db.models.functions.", ""),
        ("django.contrib.postgres.", ""),
        ("django.db.models.deletion.", "models."),
    ];
    let name = |name: &str| {
        let found = MODULES.iter().find(|(module, _)| name.starts_with(module));
        match (found, name.rsplit('.').next()) {
            (Some((_, prefix)), Some(last)) => format!("{prefix}{last}"),
            _ => name.to_owned(),
        }
    };
    let all = |values: &[Py]| values.iter().map(short).collect();
    match py {
        Py::Raw(text) => Py::Raw(name(text)),
        Py::Call { function, args, kwargs } => {
            let mut kwargs: Vec<(String, Py)> = kwargs
                .iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("fields" | "include", Py::Tuple(names)) => {
                        (name.clone(), Py::List(names.clone()))
                    }
                    _ => (name.clone(), short(value)),
                })
                .collect();
            kwargs.sort_by_key(|(name, _)| name != "fields");
            if is_q(function) {
                return short_q(&name(function), args, kwargs);
            }
            Py::Call { function: name(function), args: all(args), kwargs }
        }
        Py::List(values) => Py::List(all(values)),
        Py::Tuple(values) => Py::Tuple(all(values)),
        Py::Joined { operator, values } => Py::Joined { operator, values: all(values) },
        other => other.clone(),
    }
}

/// `Q(("a", 1), Q(b=2), _connector="OR")` is `Q(a=1) | Q(b=2)`.
fn short_q(function: &str, args: &[Py], mut kwargs: Vec<(String, Py)>) -> Py {
    let mut taken = |wanted: &str| {
        let at = kwargs.iter().position(|(name, _)| name == wanted)?;
        Some(kwargs.remove(at).1)
    };
    let is_any = taken("_connector") == Some(Py::str("OR"));
    let is_negated = taken("_negated") == Some(Py::raw("True"));
    let q = |kwargs| Py::Call { function: function.to_owned(), args: Vec::new(), kwargs };
    // Django compares conditions by the order of their parts, and sorts what are keywords.
    let sorted = |lookups: &[(String, Py)]| lookups.is_sorted_by(|(a, _), (b, _)| a <= b);
    let mut lookups = Vec::new();
    let mut parts = Vec::new();
    for argument in args {
        match argument {
            Py::Tuple(pair) if matches!(pair[..], [Py::Str(_), _]) => {
                if let [Py::Str(name), value] = pair.as_slice() {
                    lookups.push((name.clone(), short(value)));
                    parts.push(q(vec![(name.clone(), short(value))]));
                }
            }
            other => parts.push(short(other)),
        }
    }
    lookups.extend(kwargs.iter().cloned());
    parts.extend(kwargs.into_iter().map(|lookup| q(vec![lookup])));
    if !is_any && lookups.len() == parts.len() && (args.is_empty() || sorted(&lookups)) {
        parts = vec![q(lookups)];
    }
    let whole = match (parts.pop(), parts.is_empty()) {
        (None, _) => q(Vec::new()),
        (Some(one), true) => one,
        (Some(last), false) => {
            parts.push(last);
            Py::Joined { operator: if is_any { "|" } else { "&" }, values: parts }
        }
    };
    match whole {
        Py::Call { function, args, kwargs } if is_negated && !function.starts_with('~') => {
            Py::Call { function: format!("~{function}"), args, kwargs }
        }
        other if is_negated => Py::Raw(format!("~({})", other.one_line().unwrap_or_default())),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makemigrations_writes_is_said_as_a_person_does() {
        let short = |text: &str| short(&Py::parse(text)).one_line().unwrap();
        for (written, said) in [
            (
                r#"models.Q(models.Q(("s", "done"), _negated=True), ("p__isnull", False), _connector="OR")"#,
                r#"~models.Q(s="done") | models.Q(p__isnull=False)"#,
            ),
            (r#"models.Q(("a", 1), ("b", 2))"#, "models.Q(a=1, b=2)"),
            (
                r#"models.UniqueConstraint(condition=models.Q(("s", "x")), fields=("a", "b"), name="u")"#,
                r#"models.UniqueConstraint(fields=["a", "b"], condition=models.Q(s="x"), name="u")"#,
            ),
            (
                "models.DateTimeField(db_default=django.db.models.functions.datetime.Now())",
                "models.DateTimeField(db_default=Now())",
            ),
        ] {
            assert_eq!(short(written), said);
        }
    }
}
