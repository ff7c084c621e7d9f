//! One spelling for each name, where the server takes several for one.

use crate::error::Result;
use crate::input::{Declared, declare, one_case};
use crate::source::{Dialect, Source};

use super::{Catalog, build};

/// The sources with each name as the schema declares it; every place in them stays where it was.
pub fn spelled(
    schema: &[Source],
    change: &Source,
    dialect: Dialect,
) -> Result<(Vec<Source>, Source)> {
    if dialect != Dialect::Sqlite {
        return Ok((schema.to_vec(), change.clone()));
    }
    let declared = build(schema, dialect)?.0.declared();
    let spell = |source: &Source| Source::new(&*source.name, one_case(&source.text, &declared));
    Ok((schema.iter().map(spell).collect(), spell(change)))
}

impl Catalog {
    fn declared(&self) -> Declared {
        let mut declared = Declared::new();
        let mut add = |name: &str| declare(&mut declared, name);
        for table in self.tables.values() {
            add(&table.name.name);
            table.columns.iter().for_each(|column| add(&column.name));
            table.indexes.iter().for_each(|index| add(&index.name));
        }
        self.views.keys().for_each(|view| add(&view.name));
        self.triggers.keys().for_each(|(_, trigger)| add(trigger));
        declared
    }
}
