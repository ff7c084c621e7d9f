//! The types that an expression names.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, TypedString, Visit, Visitor};

use crate::source::Dialect;

use super::parsed;

/// As written, each time: `numeric(9,2)` of `a::numeric(9,2)`; `None` where the text is not understood.
pub fn read(text: &str, dialect: Dialect) -> Option<Vec<String>> {
    parsed(text, dialect, |expr| {
        let mut finder = Finder(Vec::new());
        let _ = expr.visit(&mut finder);
        finder.0
    })
}

struct Finder(Vec<String>);

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) =
            expr
        {
            self.0.push(data_type.to_string());
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_in_every_spelling() {
        let types =
            read("CAST(a AS mood) || b::numeric(9,2) || date '2020-01-01'", Dialect::Postgres);
        assert_eq!(types.unwrap(), ["mood", "NUMERIC(9,2)", "DATE"]);
        assert_eq!(read("a +", Dialect::Postgres), None);
    }
}
