//! A walk through the parser's tree that keeps a scope for each query it is in.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, Ident, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind, Query,
    Select, SelectItem, SetExpr, TableFactor, Value, Visit, Visitor,
};

use crate::source::Dialect;

use super::super::{builtin, is_bare_function, stored};
use super::{Called, Equality, FromTable, Name, Other, Projected, Role, Scope, Unfit};

pub(super) fn read(expr: &Expr, text: &str, dialect: Dialect) -> Result<Scope, Unfit> {
    let mut reader =
        Reader { text, dialect, open: Vec::new(), roles: BTreeMap::new(), unfit: None };
    let mut outermost = Scope::default();
    reader.conditions(expr, None, &mut outermost);
    reader.open.push(outermost);
    let _ = expr.visit(&mut reader);
    match reader.unfit {
        Some(unfit) => Err(unfit),
        None => Ok(reader.open.remove(0)),
    }
}

struct Reader<'t> {
    text: &'t str,
    dialect: Dialect,
    /// From the outermost to the one that is read.
    open: Vec<Scope>,
    /// Of queries that will be met, by their address.
    roles: BTreeMap<*const Query, Role>,
    unfit: Option<Unfit>,
}

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut scope = Scope::default();
        match self.roles.get(&std::ptr::from_ref(query)) {
            Some(role) => scope.role = *role,
            None => self.refuse("a query in this place", None),
        }
        self.query(query, &mut scope);
        self.open.push(scope);
        self.go_on()
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        if self.open.len() > 1
            && let Some(inner) = self.open.pop()
        {
            self.scope().scopes.push(inner);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident)
                if ident.quote_style.is_none() && is_bare_function(&ident.value, self.dialect) =>
            {
                let (name, at) = (ident.value.to_ascii_lowercase(), self.place(ident));
                self.scope().functions.push(Called { name, arguments: 0, names: Vec::new(), at });
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => match self.name(expr) {
                Some(name) => self.scope().names.push(name),
                None => self.refuse("a name of more than two parts", None),
            },
            Expr::Function(function) => self.function(function),
            Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
                self.refuse("a parameter", None);
            }
            Expr::Subquery(query) => {
                self.roles.entry(&raw const **query).or_insert(Role::Value);
            }
            Expr::Exists { subquery, .. } => {
                self.roles.insert(&raw const **subquery, Role::Exists);
            }
            Expr::InSubquery { subquery, .. } => {
                self.roles.entry(&raw const **subquery).or_insert(Role::Set);
            }
            Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => {
                if let Expr::Subquery(query) = right.as_ref() {
                    self.roles.insert(&raw const **query, Role::Set);
                }
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => self.refuse("a whole row", None),
            other => {
                if let Some(name) = builtin(other) {
                    let name = name.to_owned();
                    self.scope().functions.push(Called {
                        name,
                        arguments: 1,
                        names: Vec::new(),
                        at: 0..0,
                    });
                }
            }
        }
        self.go_on()
    }
}

impl Reader<'_> {
    fn scope(&mut self) -> &mut Scope {
        self.open.last_mut().expect("the outermost is never closed")
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.unfit.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn refuse(&mut self, what: &'static str, at: Option<Range<usize>>) {
        self.unfit.get_or_insert(Unfit { what, at });
    }

    fn function(&mut self, function: &Function) {
        let arguments = match &function.args {
            FunctionArguments::List(list) => list.args.len(),
            _ => 0,
        };
        if let Some(ident) = function.name.0.last().and_then(|part| part.as_ident()) {
            let (name, at) = (ident.value.to_ascii_lowercase(), self.place(ident));
            let names = self.names(&function.args);
            self.scope().functions.push(Called { name, arguments, names, at: at.clone() });
            if function.over.is_some() {
                self.refuse("a window function", Some(at));
            }
        }
        if let FunctionArguments::List(list) = &function.args {
            let row = |arg: &FunctionArg| {
                matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)))
            };
            if list.args.iter().any(row) {
                self.refuse("a whole row", None);
            }
        }
    }

    fn query(&mut self, query: &Query, scope: &mut Scope) {
        let other = query.with.is_some()
            || query.fetch.is_some()
            || !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty();
        if other {
            self.refuse("a subquery with WITH, FETCH or FOR", None);
        }
        match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, scope),
            SetExpr::SetOperation { .. } => {
                self.refuse("a subquery with UNION, INTERSECT or EXCEPT", None);
            }
            _ => self.refuse("a subquery that is no plain SELECT", None),
        }
        if let Some(order) = &query.order_by {
            match &order.kind {
                OrderByKind::Expressions(list) => {
                    let named = list.iter().filter_map(|item| self.name(&item.expr));
                    // An alias comes first, and may be anything.
                    let own = named.filter(|name| {
                        name.qualifier.is_some() || !scope.aliases.contains(&name.column)
                    });
                    scope.ordered_by = own.collect();
                }
                OrderByKind::All(_) => self.refuse("ORDER BY ALL", None),
            }
        }
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by })
                if limit_by.is_empty() && is_one(limit) =>
            {
                scope.limited = true;
            }
            Some(_) => self.refuse("a subquery with another LIMIT than 1", None),
        }
    }

    fn select(&mut self, select: &Select, scope: &mut Scope) {
        let other = select.top.is_some()
            || select.into.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.named_window.is_empty()
            || select.qualify.is_some()
            || matches!(select.distinct, Some(Distinct::On(_)));
        if other {
            self.refuse("a subquery of this form", None);
        }
        match &select.group_by {
            GroupByExpr::Expressions(list, more) if more.is_empty() => {
                scope.grouped = !list.is_empty();
            }
            _ => self.refuse("GROUP BY of this form", None),
        }
        let any_value = scope.role == Role::Exists;
        for (at, item) in select.projection.iter().enumerate() {
            let value = match item {
                SelectItem::UnnamedExpr(value) => value,
                SelectItem::ExprWithAlias { expr, alias } => {
                    scope.aliases.push(stored(alias, self.dialect));
                    expr
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) if any_value => {
                    continue;
                }
                _ => {
                    self.refuse("a whole row", None);
                    continue;
                }
            };
            scope.valued.extend(self.names(value));
            if at == 0 {
                scope.value = self.projected(value);
            }
        }
        for from in &select.from {
            self.table(&from.relation, scope);
            for join in &from.joins {
                self.table(&join.relation, scope);
                let (constraint, only) = match &join.join_operator {
                    JoinOperator::Join(on) | JoinOperator::Inner(on) => (on, None),
                    JoinOperator::CrossJoin(on) => (on, None),
                    JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => {
                        (on, Some(scope.tables.len().saturating_sub(1)))
                    }
                    _ => {
                        self.refuse("this kind of JOIN", None);
                        continue;
                    }
                };
                match constraint {
                    JoinConstraint::On(on) => self.conditions(on, only, scope),
                    JoinConstraint::None => {}
                    _ => self.refuse("a JOIN with USING or NATURAL", None),
                }
            }
        }
        if let Some(condition) = &select.selection {
            self.conditions(condition, None, scope);
        }
    }

    fn table(&mut self, factor: &TableFactor, scope: &mut Scope) {
        let TableFactor::Table {
            name: ObjectName(parts),
            alias,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } = factor
        else {
            return self.refuse("something else than a table in FROM", None);
        };
        let plain = with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty();
        let idents: Vec<&Ident> = parts.iter().filter_map(|part| part.as_ident()).collect();
        let names_columns = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
        let (schema, name) = match idents.as_slice() {
            [name] => (None, *name),
            [schema, name] => (Some(stored(schema, self.dialect)), *name),
            _ => return self.refuse("a table in FROM of another database", None),
        };
        if !plain || names_columns {
            return self.refuse("a table in FROM in this form", Some(self.place(name)));
        }
        scope.tables.push(FromTable {
            schema,
            name: stored(name, self.dialect),
            alias: alias.as_ref().map(|alias| stored(&alias.name, self.dialect)),
            at: self.place(name),
        });
    }

    /// Of the parts that AND joins.
    fn conditions(&mut self, condition: &Expr, only: Option<usize>, scope: &mut Scope) {
        let mut parts = vec![condition];
        while let Some(part) = parts.pop() {
            match part {
                Expr::Nested(inner) => parts.push(inner),
                Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                    parts.extend([left.as_ref(), right.as_ref()]);
                }
                Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                    for (one, other) in [(left, right), (right, left)] {
                        let found = self.name(one).zip(self.other(other));
                        let equality =
                            found.map(|(column, other)| Equality { column, other, only });
                        scope.equalities.extend(equality);
                    }
                }
                Expr::IsNull(inner) if only.is_none() => scope.nulls.extend(self.name(inner)),
                Expr::InSubquery { subquery, negated: false, .. } if only.is_none() => {
                    self.roles.insert(&raw const **subquery, Role::Member);
                }
                _ => {}
            }
        }
    }

    fn other(&self, expr: &Expr) -> Option<Other> {
        match expr {
            Expr::Value(_) => Some(Other::Literal),
            _ => self.name(expr).map(Other::Column),
        }
    }

    fn projected(&self, value: &Expr) -> Projected {
        if let Some(name) = self.name(value) {
            return Projected::Column(name);
        }
        let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = value
        else {
            return Projected::Other;
        };
        let called = name.0.last().and_then(|part| part.as_ident());
        let called = called.map(|ident| ident.value.to_ascii_lowercase());
        match (called, list.args.as_slice()) {
            (Some(called), [FunctionArg::Unnamed(FunctionArgExpr::Expr(one))]) => {
                self.name(one).map_or(Projected::Other, |name| Projected::Call(called, Some(name)))
            }
            (Some(called), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) => {
                Projected::Call(called, None)
            }
            _ => Projected::Other,
        }
    }

    fn names(&self, part: &impl Visit) -> Vec<Name> {
        let mut columns = Columns { reader: self, names: Vec::new() };
        let _ = part.visit(&mut columns);
        columns.names
    }

    /// A plain column.
    fn name(&self, expr: &Expr) -> Option<Name> {
        let (qualifier, column) = match expr {
            Expr::Identifier(column) => (None, column),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [qualifier, column] => (Some(qualifier), column),
                _ => return None,
            },
            _ => return None,
        };
        let mut at = self.place(column);
        if let Some(qualifier) = qualifier {
            at.start = self.place(qualifier).start.min(at.start);
        }
        Some(Name {
            qualifier: qualifier.map(|ident| stored(ident, self.dialect)),
            column: stored(column, self.dialect),
            at,
        })
    }

    /// Where in the text it stands; where it is met first, should the parser's line and column lead
    /// somewhere else.
    fn place(&self, ident: &Ident) -> Range<usize> {
        let start = ident.span.start;
        let line = usize::try_from(start.line).unwrap_or(0).saturating_sub(1);
        let column = usize::try_from(start.column).unwrap_or(0).saturating_sub(1);
        let begins: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = self.text.get(begins..).unwrap_or("");
        let at = begins + rest.chars().take(column).map(char::len_utf8).sum::<usize>();
        let quotes = usize::from(ident.quote_style.is_some());
        let is_here = |at: usize| {
            self.text.get(at + quotes..).is_some_and(|text| text.starts_with(&ident.value))
        };
        let at = Some(at).filter(|at| is_here(*at));
        let at = at.or_else(|| self.text.find(&ident.value)).unwrap_or(0);
        at..(at + ident.value.len() + 2 * quotes).min(self.text.len())
    }
}

/// The columns in a part of the tree.
struct Columns<'r, 't> {
    reader: &'r Reader<'t>,
    names: Vec<Name>,
}

impl Visitor for Columns<'_, '_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.names.extend(self.reader.name(expr));
        ControlFlow::Continue(())
    }
}

fn is_one(limit: &Expr) -> bool {
    matches!(limit, Expr::Value(value)
        if matches!(&value.value, Value::Number(text, _) if text == "1"))
}
