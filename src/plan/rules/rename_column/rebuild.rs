//! Where NOT NULL is checked before a trigger could fill the old column: the table is made anew, and
//! again in deploy 2.

use crate::catalog::{Column, Constraint, ConstraintKind, Expr};
use crate::change::RenameColumn;
use crate::plan::condition::{Condition, Missing};
use crate::plan::op::{Op, SyncKind};
use crate::plan::strategy::{named, sync};
use crate::plan::{Down, Phase, RenamedIndex, Step, Unit, column_expr};

use super::{Rule, moved};

impl Rule<'_> {
    pub(super) fn by_rebuild(&self, indexes: &[RenamedIndex]) -> Vec<Step> {
        let RenameColumn { table, from, to } = self.rename;
        let mut sync = self.sync.clone();
        if let SyncKind::Mirror { needs_given, .. } = &mut sync.kind {
            *needs_given = true;
        }
        let (Expr(old), Expr(new)) =
            (column_expr(self.context.server, from), column_expr(self.context.server, to));
        let given = Constraint {
            name: Some(named(&format!("{}_{to}", table.name), "_given")),
            named: true,
            kind: ConstraintKind::Check(Expr(format!("{old} IS NOT NULL OR {new} IS NOT NULL"))),
            options: None,
            valid: true,
            comment: None,
        };
        let copy = Column { name: to.clone(), not_null: false, ..self.old.clone() };
        let add = Op::AddColumn { table: table.clone(), column: copy, constraints: vec![given] };
        let drop = Op::DropColumn { table: table.clone(), column: to.clone() };
        let optional =
            |column: &str| Op::DropNotNull { table: table.clone(), column: column.into() };
        let required =
            |column: &str| Op::SetNotNull { table: table.clone(), column: column.into() };
        let rename = |from: &str, to: &str| Op::RenameColumn {
            table: table.clone(),
            from: from.into(),
            to: to.into(),
        };
        let moved = moved(indexes);
        let copies: Vec<Op> = indexes
            .iter()
            .map(|index| Op::CreateIndex {
                table: table.clone(),
                index: index.copy.clone(),
                online: false,
            })
            .collect();

        let mut expand = vec![optional(from)];
        expand.push(add.clone());
        expand.extend(copies.clone());
        let unexpand = vec![drop.clone(), required(from)];
        // Not inside: only the server's own RENAME reaches into views and triggers.
        let mut contract = vec![drop];
        contract.extend(
            moved.iter().map(|i| self.rename_index(i, &i.before, &i.before.name, &i.after.name)),
        );
        contract.push(required(from));
        let mut uncontract = vec![optional(from)];
        uncontract.extend(
            moved.iter().map(|i| self.rename_index(i, &i.before, &i.after.name, &i.before.name)),
        );
        uncontract.push(add);
        uncontract.extend(copies);
        let anew = |edits: Vec<Op>, copy: Option<(&String, String)>| Op::Anew {
            table: table.clone(),
            edits,
            copy: copy.map(|(column, expr)| (column.clone(), Expr(expr))).into_iter().collect(),
        };
        let mut guards = self.may_contract();
        guards.push(self.in_step());
        vec![
            Step {
                phase: Phase::Expand,
                table: table.clone(),
                slug: "expand".into(),
                title: format!("{to}, kept in step by a trigger"),
                unit: Unit::Rebuild,
                up: vec![
                    Op::Guard(vec![Condition::ColumnIs {
                        table: table.clone(),
                        column: from.clone(),
                        ty: self.old.ty.clone(),
                        not_null: self.old.not_null,
                    }]),
                    anew(expand, Some((to, old.clone()))),
                    Op::CreateSync(sync.clone()),
                    self.touch(from),
                ],
                down: Down::noted(
                    vec![Op::DropSync(sync.clone()), anew(unexpand, None)],
                    format!("Loses nothing: {from} holds every value."),
                ),
                verify: vec![
                    Condition::ColumnExists { table: table.clone(), column: to.clone() },
                    sync::on(&sync, Missing::RunAgain),
                    self.in_step(),
                ],
                model: vec![self.rename_field(false, indexes)],
            },
            Step {
                phase: Phase::Contract,
                table: table.clone(),
                slug: "contract".into(),
                title: format!("{from} is {to}"),
                unit: Unit::Rebuild,
                up: vec![
                    Op::Guard(guards),
                    Op::DropSync(sync.clone()),
                    anew(contract, None),
                    rename(from, to),
                ],
                down: Down::noted(
                    vec![rename(to, from), anew(uncontract, Some((to, old))), Op::CreateSync(sync)],
                    "Loses nothing: both names hold every value again.",
                ),
                verify: self.gone(),
                model: self.required_at_last(),
            },
        ]
    }
}
