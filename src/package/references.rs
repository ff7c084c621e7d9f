//! What a foreign key does on DELETE and UPDATE, as SQLAlchemy's arguments.

/// `ON DELETE CASCADE` → `ondelete="CASCADE"`; `None` where there is no argument that says the same.
pub(super) fn arguments(actions: Option<&str>) -> Option<Vec<(&'static str, String)>> {
    let mut words: Vec<String> =
        actions.unwrap_or("").split_whitespace().map(str::to_ascii_uppercase).collect();
    let mut found = Vec::new();
    while !words.is_empty() {
        let first: Vec<&str> = words.iter().take(4).map(String::as_str).collect();
        let (taken, name, value) = match first.as_slice() {
            ["ON", event @ ("DELETE" | "UPDATE"), "SET", what @ ("NULL" | "DEFAULT")] => {
                (4, on(event), format!("SET {what}"))
            }
            ["ON", event @ ("DELETE" | "UPDATE"), "NO", "ACTION"] => {
                (4, on(event), "NO ACTION".to_owned())
            }
            ["ON", event @ ("DELETE" | "UPDATE"), what @ ("CASCADE" | "RESTRICT"), ..] => {
                (3, on(event), (*what).to_owned())
            }
            _ => return None,
        };
        found.push((name, value));
        words.drain(..taken);
    }
    Some(found)
}

fn on(event: &str) -> &'static str {
    if event == "DELETE" { "ondelete" } else { "onupdate" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_arguments() {
        assert_eq!(arguments(None), Some(vec![]));
        assert_eq!(
            arguments(Some("on delete set null ON UPDATE CASCADE")),
            Some(vec![("ondelete", "SET NULL".to_owned()), ("onupdate", "CASCADE".to_owned())])
        );
        assert_eq!(arguments(Some("DEFERRABLE")), None);
        assert_eq!(arguments(Some("ON DELETE SET NULL (a)")), None);
    }
}
