//! Python source → what can be known of it without running it.
//!
//! Enters: a `.py` file. Leaves: its top-level bindings, literals and calls, with places. Must
//! not know: what a framework makes of them.

mod literal;

use tree_sitter::{Node, Parser, Tree};

use crate::error::{Error, Result};
use crate::source::{Source, Span};

pub use literal::string_value;

/// A parsed file.
pub struct Module {
    source: Source,
    tree: Tree,
}

/// What a name is bound to at the top level of a file.
#[derive(Clone, Copy)]
pub struct Binding<'m> {
    /// Where the name stands.
    pub name: Node<'m>,
    /// The expression; `None` if the binding is not a plain assignment that always happens.
    pub value: Option<Node<'m>>,
}

/// A value that is written out in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    None,
    Bool(bool),
    Text(String),
    /// A number, as it is written.
    Number(String),
    /// A tuple, a list or a set.
    Sequence(Vec<Literal>),
}

/// One name that is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// How the file refers to it: `models`, or `django.db.models.deletion`.
    pub name: String,
    /// The statement that would import it alone.
    pub statement: String,
}

/// The arguments of a call.
#[derive(Default)]
pub struct Arguments<'m> {
    pub positional: Vec<Node<'m>>,
    pub keywords: Vec<(&'m str, Node<'m>)>,
    /// The first `*args` or `**kwargs`.
    pub spread: Option<Node<'m>>,
}

impl<'m> Arguments<'m> {
    /// An argument by its keyword or else by its position.
    pub fn get(&self, keyword: &str, position: usize) -> Option<Node<'m>> {
        self.keyword(keyword).or_else(|| self.positional.get(position).copied())
    }

    pub fn keyword(&self, keyword: &str) -> Option<Node<'m>> {
        self.keywords.iter().find(|(name, _)| *name == keyword).map(|(_, value)| *value)
    }
}

impl Module {
    /// Parses a file; an error in its outermost statements is refused, one inside a function is
    /// no business of ours.
    pub fn parse(source: Source) -> Result<Module> {
        let mut parser = Parser::new();
        parser
            .set_language(&tree_sitter_python::LANGUAGE.into())
            .map_err(|error| Error::bug(format!("the Python grammar does not load: {error}")))?;
        let tree = parser
            .parse(&source.text, None)
            .ok_or_else(|| Error::bug(format!("the Python parser gave up on `{}`", source.name)))?;
        let module = Module { source, tree };
        let broken =
            children(module.root()).find(|node| node.is_error() || node.is_missing()).map(|node| {
                module.refuse(
                    format!("`{}` is not valid Python", module.source.name),
                    node,
                    "not understood",
                )
            });
        match broken {
            None => Ok(module),
            Some(error) => Err(error),
        }
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    pub fn text(&self, node: Node<'_>) -> &str {
        &self.source.text[node.byte_range()]
    }

    pub fn span(&self, node: Node<'_>) -> Span {
        Span::new(node.start_byte(), node.end_byte())
    }

    /// A refusal that points at a node.
    pub fn refuse(&self, message: impl Into<String>, node: Node<'_>, label: &str) -> Error {
        Error::refused(message).at(&self.source, self.span(node), label)
    }

    /// The last binding of a name at the top level.
    pub fn binding(&self, name: &str) -> Option<Binding<'_>> {
        self.binding_in(self.root(), name)
    }

    /// The last binding of a name in a block, functions and classes inside it aside.
    ///
    /// A binding under a condition makes the name's value uncertain wherever it stands.
    pub fn binding_in<'m>(&'m self, block: Node<'m>, name: &str) -> Option<Binding<'m>> {
        let mut found: Vec<Binding<'m>> = Vec::new();
        for statement in children(block) {
            self.bindings_of(statement, name, true, &mut found);
        }
        found.iter().find(|binding| binding.value.is_none()).or(found.last()).copied()
    }

    fn bindings_of<'m>(
        &'m self,
        node: Node<'m>,
        name: &str,
        certain: bool,
        found: &mut Vec<Binding<'m>>,
    ) {
        match node.kind() {
            "function_definition" | "class_definition" | "decorated_definition" | "lambda" => {}
            "expression_statement" => {
                for child in children(node) {
                    self.bindings_of(child, name, certain, found);
                }
            }
            "assignment" => {
                let (Some(left), Some(right)) =
                    (node.child_by_field_name("left"), node.child_by_field_name("right"))
                else {
                    return;
                };
                let mut value = right;
                while value.kind() == "assignment" {
                    match value.child_by_field_name("right") {
                        Some(inner) => value = inner,
                        None => return,
                    }
                }
                if left.kind() == "identifier" {
                    if self.text(left) == name {
                        let sound = certain && !node.has_error();
                        found.push(Binding { name: left, value: sound.then_some(value) });
                    }
                } else if let Some(part) = self.identifier(left, name) {
                    found.push(Binding { name: part, value: None });
                }
                if right.kind() == "assignment" {
                    self.bindings_of(right, name, certain, found);
                }
            }
            "augmented_assignment"
            | "import_from_statement"
            | "import_statement"
            | "named_expression"
            | "delete_statement" => {
                let target = match node.kind() {
                    "augmented_assignment" => node.child_by_field_name("left"),
                    "named_expression" => node.child_by_field_name("name"),
                    "delete_statement" => Some(node),
                    _ => imported(node).find(|part| self.text(*part) == name),
                };
                if let Some(part) = target.and_then(|target| self.identifier(target, name)) {
                    found.push(Binding { name: part, value: None });
                }
            }
            _ => {
                for child in children(node) {
                    self.bindings_of(child, name, false, found);
                }
            }
        }
    }

    /// The identifier of this name in a pattern such as `a, b`.
    fn identifier<'m>(&'m self, node: Node<'m>, name: &str) -> Option<Node<'m>> {
        if node.kind() == "identifier" {
            return (self.text(node) == name).then_some(node);
        }
        // `x.revision` and `x["revision"]` bind no name.
        if matches!(node.kind(), "attribute" | "subscript") {
            return None;
        }
        children(node).find_map(|child| self.identifier(child, name))
    }

    /// The classes at the top level.
    pub fn classes(&self) -> impl Iterator<Item = Node<'_>> {
        children(self.root()).filter_map(|node| match node.kind() {
            "class_definition" => Some(node),
            "decorated_definition" => node
                .child_by_field_name("definition")
                .filter(|inner| inner.kind() == "class_definition"),
            _ => None,
        })
    }

    /// The value of an expression that is written out; `None` if it would have to be computed.
    pub fn literal(&self, node: Node<'_>) -> Option<Literal> {
        match node.kind() {
            "none" => Some(Literal::None),
            "true" => Some(Literal::Bool(true)),
            "false" => Some(Literal::Bool(false)),
            "integer" | "float" => Some(Literal::Number(self.text(node).to_owned())),
            "string" => string_value(self.text(node)).map(Literal::Text),
            "concatenated_string" => {
                let mut text = String::new();
                for part in children(node) {
                    text.push_str(&string_value(self.text(part))?);
                }
                Some(Literal::Text(text))
            }
            "parenthesized_expression" => self.literal(children(node).next()?),
            "tuple" | "list" | "set" | "expression_list" => children(node)
                .map(|part| self.literal(part))
                .collect::<Option<_>>()
                .map(Literal::Sequence),
            _ => None,
        }
    }

    /// What a name stands for, if it is bound once, in the class around it or at the top level;
    /// any other expression is returned as it is.
    pub fn resolve<'m>(&'m self, node: Node<'m>) -> Node<'m> {
        let mut found = node;
        // Names may stand for names, and may go round.
        for _ in 0..8 {
            if found.kind() != "identifier" {
                return found;
            }
            let name = self.text(found);
            let class = std::iter::successors(found.parent(), Node::parent)
                .find(|above| above.kind() == "class_definition")
                .and_then(|class| class.child_by_field_name("body"));
            let binding =
                class.and_then(|body| self.binding_in(body, name)).or_else(|| self.binding(name));
            match binding.and_then(|binding| binding.value) {
                Some(value) if !value.byte_range().contains(&found.start_byte()) => found = value,
                _ => return node,
            }
        }
        node
    }

    /// The text of a literal string.
    pub fn string(&self, node: Node<'_>) -> Option<String> {
        match self.literal(node) {
            Some(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The last part of a dotted name: `AddField` of `migrations.AddField`.
    pub fn last_name<'m>(&'m self, node: Node<'m>) -> Option<&'m str> {
        match node.kind() {
            "identifier" => Some(self.text(node)),
            "attribute" => node.child_by_field_name("attribute").map(|part| self.text(part)),
            _ => None,
        }
    }

    /// The function of a call and its arguments.
    pub fn call<'m>(&'m self, node: Node<'m>) -> Option<(Node<'m>, Arguments<'m>)> {
        if node.kind() != "call" {
            return None;
        }
        let function = node.child_by_field_name("function")?;
        let mut arguments = Arguments::default();
        for argument in children(node.child_by_field_name("arguments")?) {
            match argument.kind() {
                "keyword_argument" => {
                    let name = argument.child_by_field_name("name")?;
                    let value = argument.child_by_field_name("value")?;
                    arguments.keywords.push((self.text(name), value));
                }
                "list_splat" | "dictionary_splat" => {
                    arguments.spread = arguments.spread.or(Some(argument));
                }
                _ => arguments.positional.push(argument),
            }
        }
        Some((function, arguments))
    }

    /// The keys and values of a dictionary whose keys are written out.
    pub fn entries<'m>(&'m self, node: Node<'m>) -> Vec<(String, Node<'m>)> {
        children(node)
            .filter(|pair| pair.kind() == "pair")
            .filter_map(|pair| {
                let key = self.string(pair.child_by_field_name("key")?)?;
                Some((key, pair.child_by_field_name("value")?))
            })
            .collect()
    }

    /// The imports at the top level.
    pub fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for statement in children(self.root()) {
            let from = match statement.kind() {
                "import_statement" => None,
                "import_from_statement" => statement.child_by_field_name("module_name"),
                _ => continue,
            };
            for part in children(statement).filter(|part| Some(*part) != from) {
                let alias = part.child_by_field_name("alias");
                imports.push(Import {
                    name: self.text(alias.unwrap_or(part)).to_owned(),
                    statement: match from {
                        Some(from) => {
                            format!("from {} import {}", self.text(from), self.text(part))
                        }
                        None => format!("import {}", self.text(part)),
                    },
                });
            }
        }
        imports
    }

    /// The imports that an expression needs, each as a statement, in the order of the file.
    pub fn imports_of(&self, node: Node<'_>) -> Vec<String> {
        let mut names = Vec::new();
        self.dotted_names(node, &mut names);
        let is_used = |import: &Import| {
            names.iter().any(|name| {
                name.strip_prefix(import.name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let imports = self.imports().into_iter().filter(is_used);
        imports.map(|import| import.statement).collect()
    }

    /// The names an expression refers to, each with the attributes that follow it.
    fn dotted_names<'m>(&'m self, node: Node<'m>, names: &mut Vec<&'m str>) {
        match node.kind() {
            "identifier" => names.push(self.text(node)),
            "attribute" => {
                names.push(self.text(node));
                if let Some(object) = node.child_by_field_name("object")
                    && !matches!(object.kind(), "identifier" | "attribute")
                {
                    self.dotted_names(object, names);
                }
            }
            "keyword_argument" => {
                if let Some(value) = node.child_by_field_name("value") {
                    self.dotted_names(value, names);
                }
            }
            _ => {
                for child in children(node) {
                    self.dotted_names(child, names);
                }
            }
        }
    }

    /// Every node of a kind, in the order of the text.
    pub fn all(&self, kind: &'static str) -> Vec<Node<'_>> {
        let mut found = Vec::new();
        let mut open = vec![self.root()];
        while let Some(node) = open.pop() {
            if node.kind() == kind {
                found.push(node);
            }
            let mut inner: Vec<_> = children(node).collect();
            inner.reverse();
            open.extend(inner);
        }
        found
    }
}

/// The named children of a node, comments aside.
pub fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    (0..node.named_child_count())
        .filter_map(move |index| node.named_child(u32::try_from(index).ok()?))
        .filter(|child| child.kind() != "comment")
}

/// The names an import binds.
fn imported(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let module = node.child_by_field_name("module_name");
    children(node).filter(move |child| Some(*child) != module).filter_map(|child| {
        let bound = match child.kind() {
            "aliased_import" => child.child_by_field_name("alias")?,
            "dotted_name" => child,
            _ => return None,
        };
        if bound.kind() == "identifier" { Some(bound) } else { children(bound).next() }
    })
}
