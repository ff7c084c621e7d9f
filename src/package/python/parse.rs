//! Python expressions as somebody wrote them → trees that can be laid out anew.
//!
//! Enters: an expression's text. Leaves: [`Py`], with what is no call, list or string kept as text.
//! Must not know: what a call does.

use tree_sitter::Node;

use super::Py;
use crate::repo::python::{Literal, Module, children};
use crate::source::Source;

impl Py {
    /// Reads an expression; its comments are lost. What is no expression stays text.
    pub fn parse(text: &str) -> Py {
        // In brackets it may go over lines as it did where it stood.
        let source = Source::new("expression", format!("({text})"));
        let read = |module: &Module| {
            let statement = children(module.root()).next()?;
            let brackets = children(statement).next()?;
            let is_sound =
                !module.root().has_error() && brackets.kind() == "parenthesized_expression";
            let inner = children(brackets).next().filter(|_| is_sound)?;
            Some(tree(module, inner))
        };
        let module = Module::parse(source).ok();
        module.as_ref().and_then(read).unwrap_or_else(|| Py::raw(text))
    }
}

fn tree(module: &Module, node: Node<'_>) -> Py {
    let all = |node| children(node).map(|item| tree(module, item)).collect();
    let has_splat = children(node).any(|item| item.kind().ends_with("splat"));
    match node.kind() {
        "string" | "concatenated_string" => {
            if let Some(Literal::Text(value)) = module.literal(node) {
                return Py::Str(value);
            }
        }
        "parenthesized_expression" => {
            // Around one thing they only held its lines together.
            if let Some(inner) = children(node).next()
                && !matches!(tree(module, inner), Py::Raw(_))
            {
                return tree(module, inner);
            }
        }
        "list" if !has_splat => return Py::List(all(node)),
        "tuple" if !has_splat => return Py::Tuple(all(node)),
        "dictionary" if !has_splat => {
            let pair = |pair: Node<'_>| {
                let key = tree(module, pair.child_by_field_name("key")?);
                Some((key, tree(module, pair.child_by_field_name("value")?)))
            };
            if let Some(pairs) = children(node).map(pair).collect() {
                return Py::Dict(pairs);
            }
        }
        "unary_operator" => {
            let operand = node.child_by_field_name("argument");
            if let Some(Py::Call { function, args, kwargs }) = operand.map(|o| tree(module, o))
                && module.text(node).starts_with('~')
            {
                return Py::Call { function: format!("~{function}"), args, kwargs };
            }
        }
        "binary_operator" => {
            let side = |name| node.child_by_field_name(name);
            let operator = side("operator").map(|node| module.text(node));
            let known = ["&", "|"].into_iter().find(|known| operator == Some(known));
            if let (Some(operator), Some(left), Some(right)) = (known, side("left"), side("right"))
            {
                let values = [left, right].map(|side| tree(module, side)).into_iter();
                let flat = values.flat_map(|value| match value {
                    Py::Joined { operator: inner, values } if inner == operator => values,
                    other => vec![other],
                });
                return Py::Joined { operator, values: flat.collect() };
            }
        }
        "call" => {
            if let Some((function, arguments)) = module.call(node)
                && arguments.spread.is_none()
            {
                return Py::Call {
                    function: one_line(module.text(function)),
                    args: arguments.positional.iter().map(|item| tree(module, *item)).collect(),
                    kwargs: arguments
                        .keywords
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), tree(module, *value)))
                        .collect(),
                };
            }
        }
        _ => {}
    }
    Py::Raw(one_line(module.text(node)))
}

/// Joins lines, unless a string or a comment might be among them.
fn one_line(text: &str) -> String {
    if text.contains(['"', '\'', '#', '\\']) {
        return text.to_owned();
    }
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join(" ").replace("( ", "(").replace(" )", ")")
}
