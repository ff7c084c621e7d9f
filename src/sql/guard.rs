//! Guards: a file refuses by itself where what it needs does not hold.

use crate::dialect::Dialect;
use crate::input::mentions;
use crate::plan::condition::{Condition, Missing};
use crate::plan::op::Op;

use super::condition::{boolean, count, message};
use super::{Sql, Writer, dollar, indent};

impl Writer<'_> {
    pub(super) fn guard(&self, conditions: &[Condition]) -> Vec<Sql> {
        if self.dialect == Dialect::Sqlite {
            return self.guard_by_check(conditions);
        }
        let reads = conditions.iter().any(Condition::reads_rows);
        let mut body = String::new();
        // Columns that are named as a variable.
        let clash =
            |text: &str| ["v_rows", "found"].iter().any(|n| mentions(text, n, self.dialect));
        let counted = conditions.iter().filter_map(|condition| count(self.server, condition));
        if counted.into_iter().any(|count| clash(&count.from)) {
            body.push_str("#variable_conflict use_column\n");
        }
        if reads {
            body.push_str("DECLARE\n    v_rows bigint;\n");
        }
        body.push_str("BEGIN\n");
        for condition in conditions {
            // A percent sign of a name would be taken for a place by RAISE.
            let message = message(condition).replace('%', "%%");
            if let Some(count) = count(self.server, condition) {
                let message = self.literal(&format!("% {message}"));
                body.push_str(&format!(
                    "    {} INTO v_rows{};\n    IF v_rows > 0 THEN\n        RAISE EXCEPTION {message}, v_rows;\n    END IF;\n",
                    count.select,
                    indent(self.dialect, &count.from, 4)
                ));
            } else {
                let message = self.literal(&message);
                let holds = boolean(self.server, condition);
                let test = match (condition, holds.strip_prefix("NOT ")) {
                    (Condition::NotBefore { .. }, _) => holds.replacen(">=", "<", 1),
                    (_, Some(positive)) => positive.to_owned(),
                    (_, None) => format!("NOT {holds}"),
                };
                body.push_str(&format!(
                    "    IF {} THEN\n        RAISE EXCEPTION\n            {message};\n    END IF;\n",
                    indent(self.dialect, &test, 4)
                ));
            }
        }
        body.push_str("END");
        let after = conditions.iter().all(|condition| {
            matches!(condition, Condition::IndexValid { missing: Missing::RunAgain, .. })
        });
        let name = if after { "VERIFY" } else { "GUARD" };
        let mut sql = Sql::named(name, format!("DO {}", dollar("guard", &body)));
        if reads {
            sql = sql.comment("Reads the whole table once; locks nothing.");
        }
        vec![sql]
    }

    /// A part of a way back that may have been gone already. No loop of tries: it is not run while an
    /// application waits for it.
    pub(super) fn unless(&self, holds: &Condition, ops: &[Op]) -> Sql {
        let statements: String = ops
            .iter()
            .flat_map(|op| self.op(op))
            .map(|sql| format!("\n        {};", indent(self.dialect, &sql.text, 8)))
            .collect();
        let holds = indent(self.dialect, &boolean(self.server, holds), 4);
        let body = format!(
            "BEGIN
    PERFORM set_config('lock_timeout', '2s', true);
    IF NOT {holds} THEN{statements}
    END IF;
END"
        );
        Sql::named("WAY_BACK", format!("DO {}", dollar("way_back", &body)))
            .comment("Does nothing where the contract was not applied.")
    }

    /// SQLite raises errors in triggers only; but a CHECK fails with its name, which can be a
    /// sentence.
    fn guard_by_check(&self, conditions: &[Condition]) -> Vec<Sql> {
        let checks: Vec<(String, String)> = conditions
            .iter()
            .map(|condition| (message(condition), boolean(self.server, condition)))
            .collect();
        self.checks(&checks).to_vec()
    }

    /// A sentence, and the expression that must be true.
    pub(super) fn checks(&self, checks: &[(String, String)]) -> [Sql; 3] {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for (position, (sentence, holds)) in checks.iter().enumerate() {
            let column = format!("ok_{}", position + 1);
            let sentence = sentence.replace('"', "'");
            columns.push(format!("{column} NOT NULL CONSTRAINT \"{sentence}\" CHECK ({column})"));
            values.push(indent(self.dialect, holds, 4));
        }
        [
            Sql::new(format!(
                "CREATE TEMP TABLE miggen_guard (\n    {}\n)",
                columns.join(",\n    ")
            ))
            .comment("Fails with the name of the CHECK that does not hold."),
            Sql::new(format!("INSERT INTO miggen_guard SELECT\n    {}", values.join(",\n    "))),
            Sql::new("DROP TABLE miggen_guard"),
        ]
    }
}
