//! What several test files need.

use miggen::source::Dialect;

pub(crate) const POSTGRES: &str = include_str!("../data/ddl-features/pg.sql");
pub(crate) const MYSQL: &str = include_str!("../data/ddl-features/my.sql");
pub(crate) const SQLITE: &str = include_str!("../data/ddl-features/lite.sql");

/// Every dialect with its list of features.
pub(crate) const FEATURES: [(Dialect, &str); 4] = [
    (Dialect::Postgres, POSTGRES),
    (Dialect::MySql, MYSQL),
    (Dialect::MariaDb, MYSQL),
    (Dialect::Sqlite, SQLITE),
];

/// The fixtures hold one statement a line, but for those that end further down.
pub(crate) fn statements_of(fixture: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut open = String::new();
    for line in fixture.lines() {
        open.push_str(line);
        if line.trim_end().ends_with(';') {
            statements.push(std::mem::take(&mut open));
        } else {
            open.push('\n');
        }
    }
    statements
}

/// The same numbers on every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % limit
    }

    pub(crate) fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len())]
    }
}
