//! Columns that number themselves.

use crate::catalog::{Expr, TableName};
use crate::plan::op::{Counted, Numbering};

use super::{Sql, Writer, constant, dollar};

impl Writer<'_> {
    pub(super) fn create_sequence(&self, counted: &Counted) -> Vec<Sql> {
        let mut all = self.new_sequence(counted);
        all.push(self.owned(counted));
        all
    }

    /// While two sequences belong to a column the server cannot tell which is the identity's.
    pub(super) fn become_identity(&self, counted: &Counted, identity: &str) -> Vec<Sql> {
        let (sequence, column) = (self.sequence(counted), self.ident(&counted.column));
        let action =
            format!("ALTER COLUMN {column} DROP DEFAULT, ALTER COLUMN {column} ADD {identity}");
        vec![
            Sql::new(format!("ALTER SEQUENCE {sequence} OWNED BY NONE")),
            self.alter(&counted.table, &action),
            Sql::new(format!(
                "SELECT setval({}, last_value, is_called) FROM {sequence}",
                self.identity_sequence(counted)
            ))
            .comment("On from where the sequence is."),
            Sql::new(format!("DROP SEQUENCE {sequence}")),
        ]
    }

    pub(super) fn leave_identity(&self, counted: &Counted) -> Vec<Sql> {
        let column = self.ident(&counted.column);
        let name = self.literal(&self.sequence(counted));
        let next = format!("SELECT setval({name}, nextval({}))", self.identity_sequence(counted));
        let action = format!(
            "ALTER COLUMN {column} DROP IDENTITY, \
             ALTER COLUMN {column} SET DEFAULT nextval({name}::regclass)"
        );
        let mut all = self.new_sequence(counted);
        all.extend([
            Sql::new(next).comment("On from where the identity is."),
            self.alter(&counted.table, &action),
            self.owned(counted),
        ]);
        all
    }

    pub(super) fn pass_numbering(
        &self,
        table: &TableName,
        from: &str,
        to: &str,
        numbering: &Numbering,
    ) -> Vec<Sql> {
        let (of, from_column, to_column) = (self.table(table), self.ident(from), self.ident(to));
        match numbering {
            Numbering::Sequence { name, next: Expr(next) } => {
                let action = format!(
                    "ALTER COLUMN {to_column} SET DEFAULT {next}, ALTER COLUMN {from_column} DROP DEFAULT"
                );
                let name = self.table(name);
                vec![
                    self.alter(table, &action),
                    Sql::new(format!("ALTER SEQUENCE {name} OWNED BY {of}.{to_column}"))
                        .comment("It would go with the column that it belongs to."),
                ]
            }
            Numbering::Identity(identity) => {
                let sequence = |column: &str| {
                    let (table, column) = (self.literal(&of), self.literal(column));
                    format!("pg_get_serial_sequence({table}, {column})")
                };
                let body = format!(
                    "\
DECLARE
    v_last bigint;
    v_called boolean;
    v_grant text;
    v_grants text[] := ARRAY(
        SELECT format(
            'GRANT %s ON SEQUENCE %%s TO %s',
            privilege_type,
            CASE grantee
                WHEN 0 THEN 'PUBLIC'
                ELSE replace(quote_ident(pg_get_userbyid(grantee)), '%', '%%')
            END
        )
        FROM (
            SELECT (aclexplode(relacl)).* FROM pg_class WHERE oid = {old}::regclass
        ) grants
    );
BEGIN
    EXECUTE 'SELECT last_value, is_called FROM ' || {old} INTO v_last, v_called;
    ALTER TABLE {of} ALTER COLUMN {from_column} DROP IDENTITY;
    ALTER TABLE {of} ALTER COLUMN {to_column} ADD {identity};
    PERFORM setval({new}, v_last, v_called);
    FOREACH v_grant IN ARRAY v_grants LOOP
        EXECUTE format(v_grant, {new});
    END LOOP;
END",
                    old = sequence(from),
                    new = sequence(to),
                );
                vec![
                    Sql::named(
                        constant("IDENTITY", table),
                        format!("DO {}", dollar("identity", &body)),
                    )
                    .comment("On from where the identity is; who may use its sequence may use the new one."),
                ]
            }
        }
    }

    fn new_sequence(&self, counted: &Counted) -> Vec<Sql> {
        let (sequence, ty) = (self.sequence(counted), &counted.ty);
        let create = format!("CREATE SEQUENCE {sequence} AS {ty} {}", counted.options);
        let plain = sequence.replace('%', "%%");
        let body = format!(
            "\
DECLARE
    v_statement text;
BEGIN
    FOR v_statement IN
        SELECT format({owner}, pg_get_userbyid(relowner))
        FROM pg_class WHERE oid = {relation}::regclass
        UNION
        SELECT format(
            {grant},
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
        )
        FROM (
            SELECT (aclexplode(relacl)).* FROM pg_class WHERE oid = {relation}::regclass
            UNION
            SELECT (aclexplode(attacl)).* FROM pg_attribute WHERE attrelid = {relation}::regclass
        ) grants
        WHERE privilege_type = 'INSERT'
        ORDER BY 1
    LOOP
        EXECUTE v_statement;
    END LOOP;
END",
            owner = self.literal(&format!("ALTER SEQUENCE {plain} OWNER TO %I")),
            grant = self.literal(&format!("GRANT USAGE ON SEQUENCE {plain} TO %s")),
            relation = self.literal(&self.table(&counted.table)),
        );
        vec![
            Sql::new(create.trim_end()),
            Sql::named(constant("OWNER", &counted.table), format!("DO {}", dollar("owner", &body)))
                .comment(
                    "It belongs to whom the table does, and whoever may insert rows may count.",
                ),
        ]
    }

    fn owned(&self, counted: &Counted) -> Sql {
        let (table, column) = (self.table(&counted.table), self.ident(&counted.column));
        Sql::new(format!("ALTER SEQUENCE {} OWNED BY {table}.{column}", self.sequence(counted)))
    }

    fn sequence(&self, counted: &Counted) -> String {
        self.table(&counted.table.sibling(counted.sequence.clone()))
    }

    fn identity_sequence(&self, counted: &Counted) -> String {
        let table = self.literal(&self.table(&counted.table));
        format!("pg_get_serial_sequence({table}, {})", self.literal(&counted.column))
    }
}
