//! The servers' own grammars agree: each piece is one statement, each slice is the expression that
//! stands there. squawk-syntax reads PostgreSQL, sqlite3-parser reads SQLite.

mod postgres;
mod slices;
mod sqlite;

use crate::support::Random;

/// Joins words with white space and comments that hold what must not be taken for SQL.
fn join(random: &mut Random, words: &[&str]) -> String {
    let gaps = [" ", " ", " ", "\n", "\t ", " /* ' ) , */ ", " -- it's (\n", " /**/ "];
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push_str(random.pick(&gaps));
        }
        text.push_str(word);
    }
    text
}
