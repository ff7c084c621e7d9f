//! Constraints that come beside running writers: in force for new rows at once, and for existing
//! ones when they have been looked at, under a lock that lets writers go on.

use crate::catalog::{
    Constraint, ConstraintKind, Expr, Index, Key, Origin, TableName, usual_not_null_name,
};
use crate::dialect::{Action, Server};

use super::super::condition::{Condition, Missing, Predicate, Reason};
use super::super::context::Context;
use super::super::op::{NULLS_NOT_DISTINCT, Op};
use super::super::{Down, Phase, Step, Unit, column_expr};
use super::named;

/// `CHECK (column IS NOT NULL)`, not valid yet: what NOT NULL is proven by.
pub(in crate::plan) fn not_null_check(
    server: &Server,
    table: &TableName,
    column: &str,
) -> Constraint {
    let Expr(text) = column_expr(server, column);
    Constraint {
        name: Some(named(&format!("{}_{column}", table.name), "_required")),
        named: true,
        kind: ConstraintKind::Check(Expr(format!("{text} IS NOT NULL"))),
        options: None,
        valid: false,
        comment: None,
    }
}

/// NOT NULL by its CHECK, which a step before has brought; the CHECK goes.
pub(in crate::plan) fn required(context: &Context, table: &TableName, column: &str) -> Step {
    let check = not_null_check(context.server, table, column);
    let name = check.name.clone().unwrap_or_default();
    let lock = context.lock(&[table], Action::SetNotNullProven);
    let (of, column) = (table.clone(), column.to_owned());
    let mut up = vec![Op::Validate { table: of.clone(), name: name.clone(), parent: None }];
    up.extend(lock.clone());
    up.push(Op::SetNotNull { table: of.clone(), column: column.clone() });
    up.push(Op::DropConstraint { table: of.clone(), name });
    let mut down = lock;
    down.push(Op::AddConstraint { table: of.clone(), constraint: check });
    down.push(Op::DropNotNull { table: of.clone(), column: column.clone() });
    Step {
        phase: Phase::Enforce,
        table: of.clone(),
        slug: "not_null".into(),
        title: format!("{table}.{column} not null"),
        unit: Unit::Transaction,
        up,
        down: Down::ops(down),
        verify: vec![Condition::ColumnNotNull { table: of, column }],
        model: Vec::new(),
    }
}

/// NOT NULL from nothing: for a way back in which every statement stands by itself.
pub(in crate::plan) fn require_again(
    context: &Context,
    table: &TableName,
    column: &str,
) -> Vec<Op> {
    let check = not_null_check(context.server, table, column);
    let mut ops = vec![Op::Guard(vec![all_given(table, column)])];
    ops.extend(context.lock(&[table], Action::AddCheckNotValid));
    ops.push(Op::AddConstraint { table: table.clone(), constraint: check });
    for op in required(context, table, column).up {
        // Each in a lock of its own.
        if matches!(op, Op::DropConstraint { .. }) {
            ops.extend(context.lock(&[table], Action::DropConstraint));
        }
        ops.push(op);
    }
    let own = context.before.tables.get(table).filter(|own| own.column(column).is_some());
    if let Some(own) = own {
        let name = own.not_null_name(column);
        ops.extend(not_null_renamed(
            context,
            table,
            column,
            &usual_not_null_name(table, column),
            &name,
        ));
    }
    ops
}

/// The NOT NULL of a column gets another name, where it has one, in a lock of its own.
pub(in crate::plan) fn not_null_renamed(
    context: &Context,
    table: &TableName,
    column: &str,
    from: &str,
    to: &str,
) -> Vec<Op> {
    if from == to || !context.can(Action::RenameNotNull) {
        return Vec::new();
    }
    let (of, column) = (table.clone(), column.to_owned());
    let mut ops = context.lock(&[table], Action::RenameNotNull);
    ops.push(Op::RenameNotNull { table: of, column, from: from.to_owned(), to: to.to_owned() });
    ops
}

/// Every row has a value.
pub(in crate::plan) fn all_given(table: &TableName, column: &str) -> Condition {
    Condition::NoRows {
        table: table.clone(),
        filter: Predicate::IsNull(column.to_owned()),
        reason: Reason::NoValue { column: column.to_owned() },
    }
}

/// No row is in the way of the constraint.
pub(in crate::plan) fn fulfilled(table: &TableName, constraint: &Constraint) -> Option<Condition> {
    let name = constraint.name.clone().unwrap_or_else(|| "the constraint".into());
    let (filter, reason) = match &constraint.kind {
        ConstraintKind::Check(expr) => {
            (Predicate::Refused(expr.clone()), Reason::Violates { name })
        }
        ConstraintKind::ForeignKey { columns, table: parent, references, .. } => (
            Predicate::Orphan {
                table: table.clone(),
                columns: columns.clone(),
                parent: parent.clone(),
                references: references.clone(),
            },
            Reason::Orphans { parent: parent.clone() },
        ),
        ConstraintKind::Unique(keys) | ConstraintKind::PrimaryKey(keys) => {
            let (table, keys) = (table.clone(), keys.clone());
            return Some(Condition::NoDuplicates { table, keys, filter: None });
        }
        ConstraintKind::NotNull(_) | ConstraintKind::Exclude(_) => return None,
    };
    Some(Condition::NoRows { table: table.clone(), filter, reason })
}

/// A named CHECK or foreign key, in force for new rows.
pub(in crate::plan) fn not_valid(
    context: &Context,
    table: &TableName,
    constraint: &Constraint,
) -> Step {
    let tables = tables_of(table, constraint);
    let foreign = matches!(constraint.kind, ConstraintKind::ForeignKey { .. });
    let action = if foreign { Action::AddForeignKeyNotValid } else { Action::AddCheckNotValid };
    let name = constraint.name.clone().unwrap_or_default();
    let mut up = context.lock(&tables, action);
    let mut down = context.lock(&tables, Action::DropConstraint);
    down.push(Op::DropConstraint { table: table.clone(), name: name.clone() });
    up.push(Op::AddConstraint {
        table: table.clone(),
        constraint: Constraint { valid: false, ..constraint.clone() },
    });
    Step {
        phase: Phase::Constrain,
        table: table.clone(),
        slug: if foreign { "foreign_key" } else { "check" }.into(),
        title: format!("{name} on {table}, for new rows"),
        unit: Unit::Transaction,
        up,
        down: Down::ops(down),
        verify: Vec::new(),
        model: Vec::new(),
    }
}

/// The same, in force for all rows.
pub(in crate::plan) fn validated(
    context: &Context,
    table: &TableName,
    constraint: &Constraint,
) -> Step {
    let name = constraint.name.clone().unwrap_or_default();
    let parent = match &constraint.kind {
        ConstraintKind::ForeignKey { table, .. } => Some(table.clone()),
        _ => None,
    };
    let of = table.clone();
    // Nothing less takes a validated constraint back; both are changes of the catalog only.
    let mut down = context.lock(&tables_of(table, constraint), Action::DropConstraint);
    down.push(Op::DropConstraint { table: of.clone(), name: name.clone() });
    down.push(Op::AddConstraint {
        table: of.clone(),
        constraint: Constraint { valid: false, ..constraint.clone() },
    });
    Step {
        phase: Phase::Enforce,
        table: of.clone(),
        slug: "validate".into(),
        title: format!("{name} holds for all rows of {table}"),
        unit: Unit::Transaction,
        up: vec![Op::Validate { table: of.clone(), name: name.clone(), parent }],
        down: Down::ops(down),
        verify: vec![Condition::ConstraintValid { table: of, name }],
        model: Vec::new(),
    }
}

/// UNIQUE as an index built beside the writers, which then becomes the constraint; where a server
/// makes no constraint of an index, the index is all.
pub(in crate::plan) fn unique(
    context: &Context,
    table: &TableName,
    constraint: &Constraint,
) -> Option<Step> {
    let index = unique_index(table, constraint)?;
    let online = context.can(Action::CreateIndexOnline);
    let mut up = Vec::new();
    let mut down = Vec::new();
    if online {
        let keys = index.keys.clone();
        up.push(Op::Guard(vec![
            not_anothers(table, &index),
            Condition::NoDuplicates { table: table.clone(), keys, filter: None },
        ]));
    }
    let mut first = index.clone();
    if context.can(Action::UniqueUsingIndex) {
        first.name = built_as(context, &index.name);
    }
    up.push(Op::CreateIndex { table: table.clone(), index: first.clone(), online });
    if context.can(Action::UniqueUsingIndex) {
        up.extend(context.lock(&[table], Action::UniqueUsingIndex));
        up.push(Op::UsingIndex {
            table: table.clone(),
            name: index.name.clone(),
            index: first.name,
            options: constraint.options.clone(),
            primary: matches!(constraint.kind, ConstraintKind::PrimaryKey(_)),
            comment: constraint.comment.clone(),
        });
        down.extend(context.lock(&[table], Action::DropConstraint));
        down.push(Op::DropConstraint { table: table.clone(), name: index.name.clone() });
    } else {
        down.push(Op::DropIndex { table: table.clone(), index: index.clone(), online });
    }
    Some(Step {
        phase: Phase::Index,
        table: table.clone(),
        slug: "unique".into(),
        title: format!("{}.{} unique", table, columns(&index.keys)),
        unit: if online { Unit::Alone } else { Unit::Transaction },
        up,
        down: Down::ops(down),
        verify: vec![Condition::IndexValid {
            table: table.clone(),
            name: index.name,
            missing: Missing::RunAgain,
        }],
        model: Vec::new(),
    })
}

/// What an index of its own name takes the place of is its like.
pub(in crate::plan) fn not_anothers(table: &TableName, index: &Index) -> Condition {
    Condition::ConstraintOn {
        table: table.clone(),
        name: index.name.clone(),
        columns: index.keys.iter().filter_map(Key::column).map(str::to_owned).collect(),
    }
}

/// The name of an index until it is the constraint of that name: so the same file can run again when
/// all of it had succeeded, and only the framework's note of that is missing.
pub(in crate::plan) fn built_as(context: &Context, constraint: &str) -> String {
    let taken = |name: &String| {
        [context.before, &context.intent.after].iter().any(|catalog| {
            catalog.tables.values().any(|table| {
                table.index(name).is_some()
                    || table.constraint(name).is_some()
                    || table.constraints.iter().any(|own| unique_name(&table.name, own) == *name)
            })
        })
    };
    let names = ["_new", "_new_2", "_new_3"].map(|suffix| named(constraint, suffix));
    let free = names.iter().find(|name| !taken(name));
    free.unwrap_or(&names[2]).clone()
}

/// The index that a unique constraint is made of, under the constraint's name.
pub(in crate::plan) fn unique_index(table: &TableName, constraint: &Constraint) -> Option<Index> {
    let (ConstraintKind::Unique(keys) | ConstraintKind::PrimaryKey(keys)) = &constraint.kind else {
        return None;
    };
    Some(Index {
        name: unique_name(table, constraint),
        keys: keys.clone(),
        unique: true,
        method: None,
        include: Vec::new(),
        filter: None,
        options: index_options(constraint),
        comment: None,
        origin: Origin::default(),
    })
}

/// What the constraint says of its index; the rest is about when it is checked.
pub(in crate::plan) fn index_options(constraint: &Constraint) -> Option<String> {
    let options = constraint.options.as_deref()?;
    options.starts_with(NULLS_NOT_DISTINCT).then(|| NULLS_NOT_DISTINCT.to_owned())
}

/// An option of a unique constraint that no index made beside the writers would bring: INCLUDE, WITH.
pub(in crate::plan) fn further_options(constraint: &Constraint) -> bool {
    let options = constraint.options.as_deref().unwrap_or_default();
    let rest = options.strip_prefix(NULLS_NOT_DISTINCT).unwrap_or(options).trim_start();
    let when = ["DEFERRABLE", "NOT DEFERRABLE", "INITIALLY"];
    matches!(constraint.kind, ConstraintKind::Unique(_))
        && !rest.is_empty()
        && !when.iter().any(|word| rest.to_ascii_uppercase().starts_with(word))
}

/// Given, or by the server's usual rule where it gives none itself.
pub(in crate::plan) fn unique_name(table: &TableName, constraint: &Constraint) -> String {
    let keys = match &constraint.kind {
        ConstraintKind::Unique(keys) | ConstraintKind::PrimaryKey(keys) => {
            columns(keys).replace(", ", "_")
        }
        _ => String::new(),
    };
    constraint.name.clone().unwrap_or_else(|| named(&format!("{}_{keys}", table.name), "_key"))
}

pub(in crate::plan) fn columns(keys: &[Key]) -> String {
    keys.iter().filter_map(Key::column).collect::<Vec<_>>().join(", ")
}

/// The table, and the one a foreign key points to.
pub(in crate::plan) fn tables_of<'t>(
    table: &'t TableName,
    constraint: &'t Constraint,
) -> Vec<&'t TableName> {
    match &constraint.kind {
        ConstraintKind::ForeignKey { table: parent, .. } if parent != table => vec![table, parent],
        _ => vec![table],
    }
}
