//! A view that stands in for a table under its old name.

use crate::catalog::TableName;

use super::{Sql, Writer, constant, dollar};

impl Writer<'_> {
    /// The view, and who may use it: what the table grants on the server, whatever a schema file says.
    pub(super) fn create_stand_in(
        &self,
        name: &TableName,
        table: &TableName,
        as_invoker: bool,
    ) -> Vec<Sql> {
        let (view, of) = (self.table(name), self.table(table));
        let options = if as_invoker { " WITH (security_invoker = true)" } else { "" };
        let (view_text, relation) = (self.literal(&view), self.literal(&of));
        let body = format!(
            "DECLARE
    v_statement text;
BEGIN
    FOR v_statement IN
        SELECT format('ALTER VIEW %s OWNER TO %I', {view_text}, pg_get_userbyid(relowner))
        FROM pg_class
        WHERE oid = {relation}::regclass AND pg_get_userbyid(relowner) <> current_user
        UNION ALL
        SELECT format(
            'GRANT %s%s ON %s TO %s%s', privilege_type, columns, {view_text},
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
        FROM (
            SELECT relowner AS owner, '' AS columns, (aclexplode(relacl)).*
            FROM pg_class WHERE oid = {relation}::regclass
            UNION ALL
            SELECT relowner, format(' (%I)', attname), (aclexplode(attacl)).*
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            WHERE attrelid = {relation}::regclass AND attnum > 0 AND NOT attisdropped
        ) grants
        WHERE grantee <> owner
            AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE v_statement;
    END LOOP;
END"
        );
        vec![
            Sql::new(format!("CREATE VIEW {view}{options} AS SELECT * FROM {of}")),
            Sql::named(constant("GRANTS", name), format!("DO {}", dollar("grants", &body)))
                .comment("Owner and grants of the table, for its old name."),
        ]
    }

    pub(super) fn drop_stand_in(&self, name: &TableName) -> Sql {
        let drop = format!("DROP VIEW {}", self.table(name));
        self.in_short_tries(std::slice::from_ref(name), &[drop])
    }
}
