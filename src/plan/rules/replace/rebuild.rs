//! Where no trigger can fill a row before it is checked: the table is made anew with both forms, and
//! again with the new one alone.

use std::collections::BTreeMap;

use crate::catalog::{Column, Constraint, ConstraintKind, Expr};
use crate::error::Result;
use crate::plan::condition::{Condition, Missing};
use crate::plan::op::Op;
use crate::plan::strategy::{named, sync};
use crate::plan::{Down, ModelChange, Phase, Step, Unit, column_expr};

use super::super::{add_column, drop_column};
use super::Rule;

impl Rule<'_> {
    pub(super) fn by_rebuild(&self) -> Result<Vec<Step>> {
        let mut steps = vec![self.both_forms()?];
        for new in &self.replace.new {
            steps.extend(add_column::enforced(self.context, new)?);
        }
        steps.push(self.one_form()?);
        Ok(steps)
    }

    /// Columns that the application leaves out, as soon as it gives the others.
    fn optional(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for (drop, _) in &self.replace.old {
            if drop_column::optional_first(self.context, drop)? {
                names.push(drop.column.clone());
            }
        }
        Ok(names)
    }

    /// One form is in every row, as it is checked before a trigger can compute the other.
    fn given(&self, optional: &[String]) -> Option<Constraint> {
        let all_given = |names: Vec<&String>, word: &str| {
            let given = |name| format!("{} IS NOT NULL", column_expr(self.context.server, name).0);
            let parts: Vec<String> = names.into_iter().map(|name| given(name)).collect();
            if parts.len() == 1 { parts[0].clone() } else { format!("({})", parts.join(word)) }
        };
        let news = || self.replace.new.iter().map(|new| &new.column);
        let required: Vec<&String> =
            news().filter(|column| column.not_null).map(|column| &column.name).collect();
        let new_form = if required.is_empty() {
            all_given(news().map(|column| &column.name).collect(), " OR ")
        } else {
            all_given(required, " AND ")
        };
        let table = &self.replace.table.name;
        (!optional.is_empty()).then(|| Constraint {
            name: Some(named(&format!("{table}_{}", optional[0]), "_given")),
            named: true,
            kind: ConstraintKind::Check(Expr(format!(
                "{} OR {new_form}",
                all_given(optional.iter().collect(), " AND ")
            ))),
            options: None,
            valid: true,
            comment: None,
        })
    }

    /// The new columns, optional, each with what is checked of it.
    fn added(&self, given: Option<&Constraint>) -> Vec<Op> {
        let table = &self.replace.table;
        let mut constraints: Vec<Constraint> = given.into_iter().cloned().collect();
        self.replace
            .new
            .iter()
            .rev()
            .map(|new| {
                let own = new.checks.iter().chain(&new.references).cloned();
                Op::AddColumn {
                    table: table.clone(),
                    column: Column { not_null: false, ..new.column.clone() },
                    constraints: own.chain(constraints.drain(..)).collect(),
                }
            })
            .rev()
            .collect()
    }

    fn both_forms(&self) -> Result<Step> {
        let Rule { context, replace, sync } = self;
        let table = &replace.table;
        let optional = self.optional()?;
        let loosen = |name: &String| Op::DropNotNull { table: table.clone(), column: name.clone() };
        let tighten = |name: &String| Op::SetNotNull { table: table.clone(), column: name.clone() };
        let mut there: Vec<Op> = optional.iter().map(loosen).collect();
        there.extend(self.added(self.given(&optional).as_ref()));
        let mut back: Vec<Op> = replace
            .new
            .iter()
            .map(|new| Op::DropColumn { table: table.clone(), column: new.column.name.clone() })
            .collect();
        back.extend(optional.iter().map(tighten));
        let mut model = Vec::new();
        let mut verify = vec![sync::on(sync, Missing::RunAgain), self.in_step()];
        for new in &replace.new {
            let mut field = add_column::model(new);
            if let ModelChange::AddField { field, .. } = &mut field {
                field.column.not_null = false;
            }
            model.push(field);
            let (table, column) = (table.clone(), new.column.name.clone());
            verify.push(Condition::ColumnExists { table, column });
        }
        for (drop, _) in &replace.old {
            model.extend(drop_column::model(context, drop));
        }
        let title =
            format!("{}, kept in step with {} by a trigger", replace.news(), replace.olds());
        let mut step = self.step(
            Phase::Expand,
            "expand",
            title,
            Unit::Rebuild,
            vec![
                Op::Guard(self.as_planned()),
                Op::Anew { table: table.clone(), edits: there, copy: self.forward().collect() },
                Op::CreateSync(sync.clone()),
                Op::Touch {
                    table: table.clone(),
                    key: context.row_key(table),
                    column: replace.new[0].column.name.clone(),
                },
            ],
            Down::noted(
                vec![
                    Op::DropSync(sync.clone()),
                    Op::Anew { table: table.clone(), edits: back, copy: BTreeMap::new() },
                ],
                format!("Loses what new code wrote and {} cannot say.", replace.olds()),
            ),
            verify,
        );
        step.model = model;
        Ok(step)
    }

    /// The old columns, then what hangs on one of them or on several.
    fn brought_back(&self) -> Result<Vec<Op>> {
        let table = &self.replace.table;
        let (mut columns, mut hanging) = (Vec::new(), Vec::new());
        for (drop, _) in &self.replace.old {
            for op in drop_column::back(self.context, drop)? {
                let Op::AddColumn { table, column, constraints } = op else {
                    hanging.push(op);
                    continue;
                };
                let add = |constraint| Op::AddConstraint { table: table.clone(), constraint };
                hanging.extend(constraints.into_iter().map(add));
                columns.push(Op::AddColumn { table, column, constraints: Vec::new() });
            }
        }
        let given = self.given(&self.optional()?);
        hanging
            .extend(given.map(|constraint| Op::AddConstraint { table: table.clone(), constraint }));
        for op in hanging {
            if !columns.contains(&op) {
                columns.push(op);
            }
        }
        Ok(columns)
    }

    fn one_form(&self) -> Result<Step> {
        let Rule { replace, sync, .. } = self;
        let table = &replace.table;
        let required = || replace.new.iter().filter(|new| new.column.not_null);
        let (mut there, mut verify) = (Vec::new(), Vec::new());
        for (drop, _) in &replace.old {
            let column = drop.column.clone();
            there.push(Op::DropColumn { table: table.clone(), column: column.clone() });
            verify.push(Condition::ColumnGone { table: table.clone(), column });
        }
        let mut back = self.brought_back()?;
        let mut model = Vec::new();
        for new in required() {
            let (table, column) = (table.clone(), new.column.name.clone());
            there.push(Op::SetNotNull { table: table.clone(), column: column.clone() });
            back.push(Op::DropNotNull { table, column });
            if let ModelChange::AddField { table, field } = add_column::model(new) {
                let mut before = field.clone();
                before.column.not_null = false;
                model.push(ModelChange::AlterField { table, before, field });
            }
        }
        let mut guards = self.may_contract();
        guards.push(self.in_step());
        let mut step = self.step(
            Phase::Contract,
            "contract",
            format!("{} dropped", replace.olds()),
            Unit::Rebuild,
            vec![
                Op::Guard(guards),
                Op::DropSync(sync.clone()),
                Op::Anew { table: table.clone(), edits: there, copy: BTreeMap::new() },
            ],
            Down::lossy(
                vec![
                    Op::Anew { table: table.clone(), edits: back, copy: self.backward().collect() },
                    Op::CreateSync(sync.clone()),
                ],
                format!(
                    "The values of {} come back as the hint of the change computes them, not as they were.",
                    replace.olds()
                ),
            ),
            verify,
        );
        step.model = model;
        Ok(step)
    }
}
