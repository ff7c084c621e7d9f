//! Alembic's own calls, where they give the same SQL as the plan's.

use crate::catalog::{Column, Constraint, ConstraintKind, Expr, Index, Key, TableName};
use crate::dialect::Dialect;
use crate::package::python::{self, Py};
use crate::package::{Request, types};
use crate::plan::Unit;
use crate::plan::op::Op;
use crate::sql::Sql;

use super::{Module, call, own_name, schema, table};

impl Module {
    /// Alembic's own calls, where they give the same SQL.
    pub(super) fn native(
        &mut self,
        request: &Request,
        unit: Unit,
        op: &Op,
        statements: &[Sql],
    ) -> Option<Vec<(Vec<String>, Py)>> {
        // One statement for several operations (a lock with what it is for) has no call.
        let folded = unit == Unit::Alone
            && statements
                .iter()
                .any(|sql| sql.name.as_ref().is_some_and(|name| name.starts_with("LOCK_")));
        if statements.is_empty() || folded || request.plan.server.names_schema {
            return None;
        }
        let imports = (self.sqlalchemy, self.postgresql);
        let found = self.calls(request, op, statements);
        if found.is_none() {
            // What a call had needed that does not say all.
            (self.sqlalchemy, self.postgresql) = imports;
        }
        found
    }

    fn calls(
        &mut self,
        request: &Request,
        op: &Op,
        statements: &[Sql],
    ) -> Option<Vec<(Vec<String>, Py)>> {
        let dialect = request.plan.server.dialect;
        let postgres = dialect == Dialect::Postgres;
        let comment = || statements[0].comment.clone();
        match op {
            Op::AddColumn { table, column, constraints } => {
                if !postgres && !constraints.is_empty() {
                    return None;
                }
                let column = self.column(dialect, column)?;
                let mut calls = vec![(
                    comment(),
                    call("op.add_column", vec![Py::Str(table.name.clone()), column], schema(table)),
                )];
                for constraint in constraints {
                    calls.push((Vec::new(), Self::add_constraint(table, constraint)?));
                }
                Some(calls)
            }
            Op::CreateTable(table) => {
                let calls = self.create_table(dialect, table)?;
                Some(calls.into_iter().map(|call| (Vec::new(), call)).collect())
            }
            Op::DropTable(table) => {
                let name = vec![Py::Str(table.name.name.clone())];
                Some(vec![(comment(), call("op.drop_table", name, schema(&table.name)))])
            }
            Op::RenameTable { from, to } => {
                let names = vec![Py::Str(from.name.clone()), Py::Str(to.name.clone())];
                Some(vec![(comment(), call("op.rename_table", names, schema(from)))])
            }
            Op::Comment { on, text } => {
                Some(vec![(comment(), table::comment(on, text.as_deref())?)])
            }
            Op::DropColumn { table, column } => Some(vec![(
                comment(),
                call(
                    "op.drop_column",
                    vec![Py::Str(table.name.clone()), Py::Str(column.clone())],
                    schema(table),
                ),
            )]),
            Op::RenameColumn { table, from, to } if postgres => {
                let mut kwargs = vec![("new_column_name".into(), Py::Str(to.clone()))];
                kwargs.extend(schema(table));
                let args = vec![Py::Str(table.name.clone()), Py::Str(from.clone())];
                Some(vec![(comment(), call("op.alter_column", args, kwargs))])
            }
            Op::SetDefault { table, column, expr: Expr(expr) } if postgres => {
                self.sqlalchemy = true;
                let default = call("sa.text", vec![Py::Str(python::sa_text(expr))], vec![]);
                let mut kwargs = vec![("server_default".into(), default)];
                kwargs.extend(schema(table));
                let args = vec![Py::Str(table.name.clone()), Py::Str(column.clone())];
                Some(vec![(comment(), call("op.alter_column", args, kwargs))])
            }
            Op::SetNotNull { table, column } | Op::DropNotNull { table, column } if postgres => {
                let nullable = matches!(op, Op::DropNotNull { .. });
                let ty = request
                    .plan
                    .intent
                    .after
                    .tables
                    .get(table)
                    .and_then(|found| found.column(column))
                    .and_then(|found| types::sqlalchemy(dialect, &found.ty))?;
                self.uses(ty.postgresql);
                let mut kwargs = vec![
                    ("existing_type".into(), Py::Raw(ty.call)),
                    ("nullable".into(), Py::Raw(if nullable { "True" } else { "False" }.into())),
                ];
                kwargs.extend(schema(table));
                let args = vec![Py::Str(table.name.clone()), Py::Str(column.clone())];
                Some(vec![(comment(), call("op.alter_column", args, kwargs))])
            }
            Op::AddConstraint { table, constraint } if postgres => {
                Some(vec![(comment(), Self::add_constraint(table, constraint)?)])
            }
            Op::DropConstraint { table, name } if postgres => {
                let mut kwargs = schema(table);
                kwargs.insert(
                    0,
                    ("type_".into(), Py::Str(constraint_type(request, table, name).into())),
                );
                let args = vec![own_name(name), Py::Str(table.name.clone())];
                Some(vec![(comment(), call("op.drop_constraint", args, kwargs))])
            }
            Op::CreateIndex { table, index, online } => {
                let create = self.create_index(dialect, table, index, *online)?;
                let mut calls = Vec::new();
                if *online {
                    calls.push((comment(), drop_index(table, index, true)));
                }
                calls.push((Vec::new(), create));
                Some(calls)
            }
            Op::DropIndex { table, index, online } => {
                Some(vec![(comment(), drop_index(table, index, *online))])
            }
            _ => None,
        }
    }

    fn column(&mut self, dialect: Dialect, column: &Column) -> Option<Py> {
        let simple = column.collation.is_none()
            && column.generated.is_none()
            && column.identity.is_none()
            && column.other.is_empty();
        if !simple {
            return None;
        }
        // On SQLite the type is kept as text, and SQLAlchemy writes it in capitals.
        if dialect == Dialect::Sqlite && column.ty.chars().any(char::is_lowercase) {
            return None;
        }
        let ty = types::sqlalchemy(dialect, &column.ty)?;
        self.uses(ty.postgresql);
        let mut kwargs = Vec::new();
        if let Some(Expr(default)) = &column.default {
            let default = call("sa.text", vec![Py::Str(python::sa_text(default))], vec![]);
            kwargs.push(("server_default".into(), default));
        }
        let nullable = if column.not_null { "False" } else { "True" };
        kwargs.push(("nullable".into(), Py::Raw(nullable.into())));
        Some(call("sa.Column", vec![Py::Str(column.name.clone()), Py::Raw(ty.call)], kwargs))
    }

    fn add_constraint(table: &TableName, constraint: &Constraint) -> Option<Py> {
        let name = constraint.name.as_deref()?;
        if constraint.options.is_some() {
            return None;
        }
        let table_name = Py::Str(table.name.clone());
        let mut kwargs: Vec<(String, Py)> = Vec::new();
        let call_ = match &constraint.kind {
            ConstraintKind::Check(Expr(expr)) => {
                let args = vec![own_name(name), table_name, Py::Str(python::sa_text(expr))];
                kwargs.extend(schema(table));
                ("op.create_check_constraint", args)
            }
            ConstraintKind::ForeignKey { columns, table: to, references, actions: None } => {
                if references.is_empty() || table.schema.is_some() || to.schema.is_some() {
                    return None;
                }
                let list =
                    |names: &[String]| Py::List(names.iter().cloned().map(Py::Str).collect());
                let args = vec![
                    own_name(name),
                    table_name,
                    Py::Str(to.name.clone()),
                    list(columns),
                    list(references),
                ];
                ("op.create_foreign_key", args)
            }
            _ => return None,
        };
        if !constraint.valid {
            kwargs.push(("postgresql_not_valid".into(), Py::Raw("True".into())));
        }
        Some(call(call_.0, call_.1, kwargs))
    }

    pub(super) fn create_index(
        &mut self,
        dialect: Dialect,
        table: &TableName,
        index: &Index,
        online: bool,
    ) -> Option<Py> {
        let simple = index.method.is_none() && index.include.is_empty() && index.options.is_none();
        if !simple {
            return None;
        }
        let mut keys = Vec::new();
        for key in &index.keys {
            keys.push(match key {
                Key::Column { name, rest: None } => Py::Str(name.clone()),
                Key::Column { rest: Some(_), .. } => return None,
                Key::Expr(Expr(text)) => {
                    self.sqlalchemy = true;
                    call("sa.text", vec![Py::Str(python::sa_text(text))], vec![])
                }
            });
        }
        let args = vec![own_name(&index.name), Py::Str(table.name.clone()), Py::List(keys)];
        let mut kwargs: Vec<(String, Py)> = Vec::new();
        if index.unique {
            kwargs.push(("unique".into(), Py::Raw("True".into())));
        }
        kwargs.extend(schema(table));
        if online {
            kwargs.push(("postgresql_concurrently".into(), Py::Raw("True".into())));
        }
        if let Some(Expr(filter)) = &index.filter {
            self.sqlalchemy = true;
            let filter = call("sa.text", vec![Py::Str(python::sa_text(filter))], vec![]);
            kwargs.push((types::where_of(dialect).into(), filter));
        }
        Some(call("op.create_index", args, kwargs))
    }
}

fn drop_index(table: &TableName, index: &Index, online: bool) -> Py {
    let mut kwargs = vec![("table_name".to_owned(), Py::Str(table.name.clone()))];
    kwargs.extend(schema(table));
    if online {
        kwargs.push(("postgresql_concurrently".into(), Py::Raw("True".into())));
        kwargs.push(("if_exists".into(), Py::Raw("True".into())));
    }
    call("op.drop_index", vec![own_name(&index.name)], kwargs)
}

/// What kind of constraint `name` is, before or after the change; our own helpers are CHECKs.
/// One that is there for a while only.
fn added<'p>(request: &'p Request, table: &TableName, name: &str) -> Option<&'p ConstraintKind> {
    let steps = request.plan.deploys.iter().flat_map(|deploy| &deploy.steps);
    let mut ops = steps.flat_map(|step| step.up.iter().chain(&step.down.ops));
    ops.find_map(|op| match op {
        Op::AddConstraint { table: of, constraint }
            if of == table && constraint.name.as_deref() == Some(name) =>
        {
            Some(&constraint.kind)
        }
        _ => None,
    })
}

fn constraint_type(request: &Request, table: &TableName, name: &str) -> &'static str {
    let kind = [&request.plan.before, &request.plan.intent.after]
        .iter()
        .filter_map(|catalog| catalog.tables.get(table))
        .flat_map(|table| &table.constraints)
        .find(|constraint| constraint.name.as_deref() == Some(name))
        .map(|constraint| &constraint.kind);
    match kind.or_else(|| added(request, table, name)) {
        Some(ConstraintKind::Unique(_)) => "unique",
        Some(ConstraintKind::ForeignKey { .. }) => "foreignkey",
        Some(ConstraintKind::PrimaryKey(_)) => "primary",
        _ => "check",
    }
}
