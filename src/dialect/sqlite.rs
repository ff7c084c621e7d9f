//! SQLite. One writer at a time: whatever writes blocks other writers, and readers only outside
//! WAL mode. Version gates were run on 3.26 to 3.54.

use super::{Action, Blocks, Fact, Tx, Version, Work};

/// The first version whose ALTER TABLE RENAME rewrites triggers and views, as a rebuild needs.
pub(super) const OLDEST: Version = Version::new(3, 26);

const LOCK: &str = "RESERVED, then EXCLUSIVE";
const ALTER: &str = "lang_altertable.html; run on 3.26 to 3.54";

const fn row(action: Action, since: Version, work: Work, source: &'static str) -> Fact {
    Fact {
        action,
        since,
        before: None,
        lock: LOCK,
        blocks: Blocks::Writes,
        work,
        transaction: Tx::Inside,
        source,
    }
}

pub(super) const FACTS: &[Fact] = &[
    row(Action::AddColumn, OLDEST, Work::Metadata, ALTER),
    row(Action::AddColumnConstantDefault, OLDEST, Work::Metadata, ALTER),
    row(Action::AddColumnVirtual, Version::new(3, 31), Work::Metadata, "gencol.html; run on 3.40"),
    row(Action::AddColumnReferences, OLDEST, Work::Metadata, ALTER),
    row(Action::DropColumn, Version::new(3, 35), Work::Rewrite, ALTER),
    row(Action::RenameTable, OLDEST, Work::Metadata, ALTER),
    row(Action::RenameColumn, OLDEST, Work::Metadata, ALTER),
    // There is no ALTER INDEX: it is dropped and built again.
    row(Action::RenameIndex, OLDEST, Work::Scan, "lang_createindex.html: no rename"),
    row(Action::CreateIndex, OLDEST, Work::Scan, "lang_createindex.html; run on 3.40"),
    row(Action::DropIndex, OLDEST, Work::Metadata, "lang_dropindex.html; run on 3.40"),
    row(Action::CreateTable, OLDEST, Work::Metadata, "lang_createtable.html; run on 3.40"),
    row(
        Action::DropTable,
        OLDEST,
        Work::Rewrite,
        "foreignkeys.html: where a table points to it, each row is deleted; run on 3.40",
    ),
    row(
        Action::CreateTrigger,
        OLDEST,
        Work::Metadata,
        "lang_createtrigger.html: no trigger can change NEW; run on 3.40",
    ),
    row(Action::DropTrigger, OLDEST, Work::Metadata, "lang_droptrigger.html; run on 3.40"),
    row(
        Action::UpdateAll,
        OLDEST,
        Work::Rewrite,
        "lockingv3.html; 1 M rows in 1.2 s, which is the stall of other writers",
    ),
    row(Action::WriteFew, OLDEST, Work::Few, "lockingv3.html; run on 3.40"),
    Fact {
        action: Action::Rebuild,
        since: OLDEST,
        before: None,
        lock: LOCK,
        blocks: Blocks::Writes,
        work: Work::Rewrite,
        // It turns foreign keys off, which only works outside a transaction, and opens its own.
        transaction: Tx::Outside,
        source: "lang_altertable.html, section 7; run on 3.26 to 3.54 with children and triggers",
    },
    Fact {
        action: Action::Scan,
        since: OLDEST,
        before: None,
        lock: "SHARED",
        blocks: Blocks::Nothing,
        work: Work::Scan,
        transaction: Tx::Inside,
        source: "lockingv3.html; WAL: readers and the writer do not meet",
    },
];
