//! Walks through rows as files of their own, for a person to run.

use std::path::Path;

use crate::plan::op::Op;
use crate::plan::{Plan, Step};
use crate::sql;

use super::File;

/// The jobs of all deploys, in the rollout's folder.
pub fn files(plan: &Plan, folder: &Path) -> Vec<File> {
    let jobs = plan.deploys.iter().flat_map(|deploy| &deploy.steps).flat_map(of_step);
    jobs.map(|(op, file)| {
        let mut contents = "\\set ON_ERROR_STOP on\n".to_owned();
        for timeout in plan.server.timeouts() {
            contents.push_str(&format!("SET {timeout} = 0;\n"));
        }
        for sql in sql::job(&plan.server, op) {
            contents.push('\n');
            for line in &sql.comment {
                contents.push_str(&format!("-- {line}\n"));
            }
            contents.push_str(&sql.text);
            contents.push_str(";\n");
        }
        File { path: folder.join(file), contents }
    })
    .collect()
}

/// What a person runs before the step.
pub(super) fn commands(step: &Step, folder: &Path) -> Vec<String> {
    of_step(step).map(|(_, file)| format!("psql -X -f {}", folder.join(file).display())).collect()
}

fn of_step(step: &Step) -> impl Iterator<Item = (&Op, &String)> {
    step.up.iter().filter_map(|op| match op {
        Op::Job { op, file } => Some((op.as_ref(), file)),
        _ => None,
    })
}
