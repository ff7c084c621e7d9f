//! Which facts stand behind a step, and which locks it takes.

use crate::catalog::TableName;
use crate::dialect::{Action, Blocks, Fact, Server, Verdict, strength};

use super::Step;
use super::op::Op;

impl Step {
    /// The facts behind what the step does, the most blocking first.
    pub fn facts(&self, server: &Server) -> Vec<&'static Fact> {
        let mut facts: Vec<&'static Fact> = self
            .up
            .iter()
            .flat_map(Op::actions)
            .filter_map(|action| match server.verdict(action) {
                Verdict::Yes(fact) => Some(fact),
                Verdict::No { .. } => None,
            })
            .collect();
        facts.sort_by(|a, b| b.blocks.cmp(&a.blocks).then(b.work.cmp(&a.work)));
        facts
    }

    /// Every relation the step locks, its own table first, with the strongest mode and whom that blocks.
    pub fn locks(&self, server: &Server) -> Vec<(TableName, &'static str, Blocks)> {
        let mut locks: Vec<_> = self
            .strongest(server)
            .map(|(mode, blocks)| (self.locked(), mode, blocks))
            .into_iter()
            .collect();
        for op in &self.up {
            if let Op::Validate { parent: Some(parent), .. } = op
                && let Verdict::Yes(fact) = server.verdict(Action::ValidateForeignKeyParent)
            {
                locks.push((parent.clone(), fact.lock, fact.blocks));
            }
            if let Op::RenameTable { to, .. } = op
                && let Verdict::Yes(fact) = server.verdict(Action::RenameTable)
            {
                locks.push((to.clone(), fact.lock, fact.blocks));
            }
            let Op::Lock { tables, mode } = op else { continue };
            let fact = server.facts().find(|fact| fact.lock == *mode);
            for table in tables.iter().filter(|table| **table != self.table) {
                if let Some(fact) = fact {
                    locks.push((table.clone(), fact.lock, fact.blocks));
                }
            }
        }
        locks
    }

    /// The table, or the view that stands in for it and goes, or the index that is all it is about.
    fn locked(&self) -> TableName {
        let other = match self.up.as_slice() {
            [Op::RenameIndex { index, .. }] => Some(self.table.sibling(index.name.clone())),
            ops => ops.iter().find_map(|op| match op {
                Op::DropStandIn { name } => Some(name.clone()),
                _ => None,
            }),
        };
        other.unwrap_or_else(|| self.table.clone())
    }

    /// The strongest lock of the step on its table, and whom it blocks.
    pub fn strongest(&self, server: &Server) -> Option<(&'static str, Blocks)> {
        let explicit = self.up.iter().filter_map(|op| match op {
            Op::Lock { tables, mode } if tables.contains(&self.table) => Some(*mode),
            _ => None,
        });
        let explicit = explicit.max_by_key(|mode| strength(mode));
        let own = self.facts(server).first().map(|fact| (fact.lock, fact.blocks));
        // A step that locks its table itself holds that lock whatever comes after.
        if let Some(mode) = explicit {
            let blocks = server.facts().find(|fact| fact.lock == mode).map(|fact| fact.blocks);
            return blocks.map(|blocks| (mode, blocks)).or(own);
        }
        own
    }
}
