//! PostgreSQL. Locks, rewrites and scans were read from `pg_locks`, relfilenodes and statistics of
//! running servers, 12 to 18; the engine tests read them again (`tests/engine/test_facts.py`).

use super::{Action, Blocks, Fact, Tx, Version, Work};

pub(super) const OLDEST: Version = Version::new(12, 0);
/// The newest that the tests run.
pub(super) const NEWEST: Version = Version::new(18, 0);

const AX: &str = "ACCESS EXCLUSIVE";
const SUX: &str = "SHARE UPDATE EXCLUSIVE";
const SRX: &str = "SHARE ROW EXCLUSIVE";

const MANUAL: &str = "manual, ALTER TABLE; pg_locks on 12, 15 and 18";

const fn row(
    action: Action,
    lock: &'static str,
    blocks: Blocks,
    work: Work,
    source: &'static str,
) -> Fact {
    Fact {
        action,
        since: OLDEST,
        before: None,
        lock,
        blocks,
        work,
        transaction: Tx::Inside,
        source,
    }
}

const fn outside(action: Action, source: &'static str) -> Fact {
    let mut fact = row(action, SUX, Blocks::Ddl, Work::Scan, source);
    fact.transaction = Tx::Outside;
    fact
}

/// Weakest first. Source: manual, Explicit Locking.
pub(super) const LOCK_MODES: &[&str] = &[
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

pub(super) const FACTS: &[Fact] = &[
    row(Action::AddColumn, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::AddColumnConstantDefault, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::AddColumnStableDefault, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::AddColumnRewrite, AX, Blocks::Everything, Work::Rewrite, MANUAL),
    Fact {
        since: Version::new(18, 0),
        ..row(Action::AddColumnVirtual, AX, Blocks::Everything, Work::Metadata, MANUAL)
    },
    Fact {
        since: Version::new(18, 0),
        ..row(
            Action::LikeNondeterministic,
            "ACCESS SHARE",
            Blocks::Nothing,
            Work::Scan,
            "release notes of 18; run on 12, 15 and 18",
        )
    },
    row(Action::SetIdentity, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::AddCheckNotValid, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(
        Action::Comment,
        SUX,
        Blocks::Ddl,
        Work::Metadata,
        "manual, COMMENT; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::CreateTable,
        AX,
        Blocks::Nothing,
        Work::Metadata,
        "manual, CREATE TABLE; pg_locks on 12, 15 and 18: on the new table only",
    ),
    row(
        Action::CreateTableReferences,
        SRX,
        Blocks::Writes,
        Work::Metadata,
        "manual, CREATE TABLE, REFERENCES; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::DropTable,
        AX,
        Blocks::Everything,
        Work::Metadata,
        "manual, DROP TABLE; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::DropTableReferences,
        AX,
        Blocks::Everything,
        Work::Metadata,
        "manual, DROP TABLE; pg_locks on 12, 15 and 18: the keys have triggers on that table",
    ),
    row(Action::ValidateCheck, SUX, Blocks::Ddl, Work::Scan, MANUAL),
    row(Action::AddForeignKeyNotValid, SRX, Blocks::Writes, Work::Metadata, MANUAL),
    row(Action::ValidateForeignKey, SUX, Blocks::Ddl, Work::Scan, MANUAL),
    row(Action::ValidateForeignKeyParent, "ROW SHARE", Blocks::Nothing, Work::Scan, MANUAL),
    row(Action::SetNotNullProven, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::DropNotNull, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::SetTypeFree, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::SetTypeRewrite, AX, Blocks::Everything, Work::Rewrite, MANUAL),
    row(Action::SetDefault, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::DropDefault, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::DropColumn, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(
        Action::DropColumnTakesIndexes,
        AX,
        Blocks::Everything,
        Work::Metadata,
        "manual, ALTER TABLE, DROP COLUMN: indexes and constraints go as well",
    ),
    row(Action::DropConstraint, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::RenameColumn, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(Action::RenameTable, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(
        Action::ViewStandsIn,
        "ACCESS SHARE",
        Blocks::Nothing,
        Work::Metadata,
        "manual, CREATE VIEW, Updatable Views; run on 12, 15 and 18 with defaults, RETURNING, ON CONFLICT, FOR UPDATE",
    ),
    Fact {
        since: Version::new(15, 0),
        ..row(
            Action::ViewAsInvoker,
            "ACCESS SHARE",
            Blocks::Nothing,
            Work::Metadata,
            "manual, CREATE VIEW, security_invoker; run on 15 and 18 with a policy",
        )
    },
    row(
        Action::DropView,
        AX,
        Blocks::Everything,
        Work::Metadata,
        "manual, DROP VIEW; pg_locks on 12, 15 and 18: on the view only",
    ),
    row(Action::RenameConstraint, AX, Blocks::Everything, Work::Metadata, MANUAL),
    Fact {
        since: Version::new(18, 0),
        ..row(
            Action::RenameNotNull,
            AX,
            Blocks::Everything,
            Work::Metadata,
            "release notes of 18: NOT NULL in pg_constraint; pg_locks and names on 18",
        )
    },
    row(
        Action::RenameIndex,
        SUX,
        Blocks::Ddl,
        Work::Metadata,
        "manual, ALTER INDEX; pg_locks on 12, 15 and 18: on the index only",
    ),
    row(
        Action::CreateIndex,
        "SHARE",
        Blocks::Writes,
        Work::Scan,
        "manual, CREATE INDEX; pg_locks on 12, 15 and 18",
    ),
    outside(
        Action::CreateIndexOnline,
        "manual, Building Indexes Concurrently; 25001 in a transaction on 12, 15 and 18",
    ),
    row(
        Action::DropIndex,
        AX,
        Blocks::Everything,
        Work::Metadata,
        "manual, DROP INDEX; pg_locks on 12, 15 and 18",
    ),
    Fact {
        work: Work::Metadata,
        ..outside(
            Action::DropIndexOnline,
            "manual, DROP INDEX CONCURRENTLY; 25001 in a transaction on 12, 15 and 18",
        )
    },
    row(Action::UniqueUsingIndex, AX, Blocks::Everything, Work::Metadata, MANUAL),
    row(
        Action::CreateTrigger,
        SRX,
        Blocks::Writes,
        Work::Metadata,
        "manual, CREATE TRIGGER; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::TriggerSetsNew,
        SRX,
        Blocks::Writes,
        Work::Metadata,
        "manual, Overview of Trigger Behavior: NOT NULL is checked after BEFORE triggers",
    ),
    row(
        Action::DropTrigger,
        AX,
        Blocks::Everything,
        Work::Metadata,
        "manual, DROP TRIGGER; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::UpdateBatch,
        "ROW EXCLUSIVE",
        Blocks::Rows,
        Work::Batch,
        "manual, Explicit Locking; pg_locks on 12, 15 and 18",
    ),
    Fact {
        since: Version::new(14, 0),
        ..row(
            Action::PageRange,
            "ACCESS SHARE",
            Blocks::Nothing,
            Work::Batch,
            "release notes of 14: TID range scans; plans on 12, 15 and 18",
        )
    },
    row(
        Action::WriteFew,
        "ROW EXCLUSIVE",
        Blocks::Rows,
        Work::Few,
        "manual, Explicit Locking; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::UpdateAll,
        "ROW EXCLUSIVE",
        Blocks::Rows,
        Work::Rewrite,
        "manual, Explicit Locking; pg_locks on 12, 15 and 18",
    ),
    row(
        Action::Scan,
        "ACCESS SHARE",
        Blocks::Nothing,
        Work::Scan,
        "manual, Explicit Locking; pg_locks on 12, 15 and 18",
    ),
];
