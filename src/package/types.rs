//! Column types as SQLAlchemy and Django say them; `None` where they cannot say the same.
//!
//! Each row was compiled by the framework and compared with the server's own name of the type.

use super::python;
use crate::catalog::Catalog;
use crate::dialect::Dialect;

/// A type taken apart: `character varying(255)` is `varchar`, `[255]`.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    base: String,
    args: Vec<String>,
    array: bool,
    with_time_zone: bool,
}

/// A call, and the import it needs beyond `sqlalchemy as sa`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SaType {
    pub(crate) call: String,
    pub(crate) postgresql: bool,
}

/// A Django field class without its common arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DjangoType {
    /// `CharField`
    pub(crate) class: &'static str,
    pub(crate) args: Vec<(&'static str, String)>,
}

fn take(ty: &str) -> Taken {
    let lower = ty.trim().to_ascii_lowercase();
    let array = lower.ends_with("[]");
    let lower = lower.trim_end_matches("[]").trim();
    let with_time_zone = lower.contains("with time zone") || lower.ends_with("tz");
    let (head, args) = match (lower.find('('), lower.find(')')) {
        (Some(open), Some(close)) if open < close => (
            format!("{}{}", &lower[..open], &lower[close + 1..]),
            lower[open + 1..close].split(',').map(|arg| arg.trim().to_owned()).collect(),
        ),
        _ => (lower.to_owned(), Vec::new()),
    };
    let words: Vec<&str> = head.split_whitespace().collect();
    let base = match words.as_slice() {
        ["character", "varying"] | ["varchar"] => "varchar",
        ["character" | "char"] => "char",
        ["double", "precision"] | ["float8"] => "double",
        ["int" | "int4" | "integer"] => "integer",
        ["int8" | "bigint"] => "bigint",
        ["int2" | "smallint"] => "smallint",
        ["bool" | "boolean"] => "boolean",
        ["decimal" | "numeric"] => "numeric",
        ["float4" | "real"] => "real",
        ["timestamptz"] | ["timestamp", ..] => "timestamp",
        ["timetz"] | ["time", ..] => "time",
        [one] => one,
        _ => &head,
    };
    Taken { base: base.to_owned(), args, array, with_time_zone }
}

pub(crate) fn sqlalchemy(dialect: Dialect, ty: &str) -> Option<SaType> {
    let taken = take(ty);
    if dialect == Dialect::Sqlite && !SQLITE_SAME.contains(&taken.base.as_str()) {
        return None;
    }
    let arg = |at: usize| taken.args.get(at).map(String::as_str);
    let plain = |call: &str| Some((call.to_owned(), false));
    let found = match (taken.base.as_str(), taken.args.len()) {
        ("smallint", 0) => plain("sa.SmallInteger()"),
        ("integer", 0) => plain("sa.Integer()"),
        ("bigint", 0) => plain("sa.BigInteger()"),
        ("numeric", 0) => plain("sa.Numeric()"),
        ("numeric", 1) => Some((format!("sa.Numeric({})", arg(0)?), false)),
        ("numeric", 2) => Some((format!("sa.Numeric({}, {})", arg(0)?, arg(1)?), false)),
        ("real", 0) => plain("sa.REAL()"),
        ("double", 0) => plain("sa.Double()"),
        ("boolean", 0) => plain("sa.Boolean()"),
        ("text", 0) => plain("sa.Text()"),
        ("varchar", 0) => plain("sa.String()"),
        ("varchar", 1) => Some((format!("sa.String({})", arg(0)?), false)),
        ("char", 1) => Some((format!("sa.CHAR({})", arg(0)?), false)),
        ("bytea", 0) => plain("sa.LargeBinary()"),
        ("date", 0) => plain("sa.Date()"),
        ("time", 0) if !taken.with_time_zone => plain("sa.Time()"),
        ("interval", 0) => plain("sa.Interval()"),
        ("timestamp", 0) if taken.with_time_zone => plain("sa.DateTime(timezone=True)"),
        ("timestamp", 0) => plain("sa.DateTime()"),
        ("datetime", 0) => plain("sa.DateTime()"),
        ("uuid", 0) => plain("sa.Uuid()"),
        ("json", 0) => plain("sa.JSON()"),
        ("jsonb", 0) => Some(("postgresql.JSONB()".into(), true)),
        (
            "inet" | "cidr" | "macaddr" | "money" | "tsvector" | "tsquery" | "citext" | "hstore"
            | "int4range" | "int8range" | "numrange" | "daterange" | "tsrange" | "tstzrange",
            0,
        ) => Some((format!("postgresql.{}()", taken.base.to_ascii_uppercase()), true)),
        _ => None,
    };
    let (call, postgresql) = found?;
    if taken.array {
        return Some(SaType { call: format!("postgresql.ARRAY({call})"), postgresql: true });
    }
    Some(SaType { call, postgresql })
}

/// An enum of the schema's own: `sa.Enum("sad", "ok", name="mood")`.
pub(crate) fn sqlalchemy_enum(catalog: &Catalog, ty: &str) -> Option<SaType> {
    let name = ty.rsplit('.').next()?.trim_matches('"');
    let (known, labels) = catalog.enums.iter().find(|(known, _)| known.name == name)?;
    let mut args: Vec<String> = labels.iter().map(|label| python::string(label)).collect();
    args.push(format!("name={}", python::string(&known.name)));
    args.extend(known.schema.iter().map(|schema| format!("schema={}", python::string(schema))));
    Some(SaType { call: format!("sa.Enum({})", args.join(", ")), postgresql: false })
}

/// SQLAlchemy's argument for the condition of an index.
pub(crate) fn where_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "sqlite_where",
        _ => "postgresql_where",
    }
}

/// Where Python has the annotations that are not built in.
pub(crate) const HOMES: &[(&str, &str)] = &[
    ("date", "datetime"),
    ("datetime", "datetime"),
    ("time", "datetime"),
    ("timedelta", "datetime"),
    ("Decimal", "decimal"),
    ("UUID", "uuid"),
];

/// What `Mapped[…]` says of a type; `None` where Python has no one type for it.
pub(crate) fn annotation(ty: &SaType) -> Option<String> {
    let (class, args) = ty.call.split_once('(')?;
    let name = match class {
        "sa.SmallInteger" | "sa.Integer" | "sa.BigInteger" => "int",
        "sa.Numeric" => "Decimal",
        "sa.REAL" | "sa.Double" => "float",
        "sa.Boolean" => "bool",
        "sa.Text" | "sa.String" | "sa.CHAR" | "sa.Enum" => "str",
        "sa.LargeBinary" => "bytes",
        "sa.Date" => "date",
        "sa.Time" => "time",
        "sa.DateTime" => "datetime",
        "sa.Interval" => "timedelta",
        "sa.Uuid" => "UUID",
        "postgresql.ARRAY" => {
            let item = SaType { call: args.strip_suffix(')')?.to_owned(), postgresql: false };
            return annotation(&item).map(|item| format!("list[{item}]"));
        }
        _ => return None,
    };
    Some(name.to_owned())
}

/// Types that SQLAlchemy writes on SQLite as they were written.
const SQLITE_SAME: &[&str] =
    &["bigint", "boolean", "date", "datetime", "integer", "numeric", "smallint", "text", "varchar"];

/// Fields that stand in a package of their own.
pub(crate) const DJANGO_HOMES: &[(&str, &str)] = &[
    ("ArrayField", "django.contrib.postgres.fields"),
    ("BigIntegerRangeField", "django.contrib.postgres.fields"),
    ("DateRangeField", "django.contrib.postgres.fields"),
    ("DateTimeRangeField", "django.contrib.postgres.fields"),
    ("DecimalRangeField", "django.contrib.postgres.fields"),
    ("HStoreField", "django.contrib.postgres.fields"),
    ("IntegerRangeField", "django.contrib.postgres.fields"),
    ("SearchVectorField", "django.contrib.postgres.search"),
];

impl DjangoType {
    /// As a module says it that imports `models`.
    pub(crate) fn name(&self) -> String {
        let is_contributed = DJANGO_HOMES.iter().any(|(class, _)| *class == self.class);
        if is_contributed { self.class.to_owned() } else { format!("models.{}", self.class) }
    }
}

pub(crate) fn django(ty: &str) -> Option<DjangoType> {
    let taken = take(ty);
    if let Some(element) = ty.trim().strip_suffix("[]") {
        let element = django(element).filter(|element| element.class != "ArrayField")?;
        let args: Vec<String> =
            element.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let base = format!("{}({})", element.name(), args.join(", "));
        return Some(DjangoType { class: "ArrayField", args: vec![("base_field", base)] });
    }
    let plain = |class| Some(DjangoType { class, args: Vec::new() });
    match (taken.base.as_str(), taken.args.len()) {
        ("smallint", 0) => plain("SmallIntegerField"),
        ("integer", 0) => plain("IntegerField"),
        ("bigint", 0) => plain("BigIntegerField"),
        ("double", 0) => plain("FloatField"),
        ("boolean" | "bool", 0) => plain("BooleanField"),
        ("text", 0) => plain("TextField"),
        ("varchar", 0) => plain("CharField"),
        ("varchar", 1) => Some(DjangoType {
            class: "CharField",
            args: vec![("max_length", taken.args[0].clone())],
        }),
        ("numeric", 2) => Some(DjangoType {
            class: "DecimalField",
            args: vec![
                ("max_digits", taken.args[0].clone()),
                ("decimal_places", taken.args[1].clone()),
            ],
        }),
        ("bytea" | "blob", 0) => plain("BinaryField"),
        ("date", 0) => plain("DateField"),
        ("time", 0) if !taken.with_time_zone => plain("TimeField"),
        ("interval", 0) => plain("DurationField"),
        ("timestamp" | "datetime", 0) => plain("DateTimeField"),
        ("uuid", 0) => plain("UUIDField"),
        ("jsonb", 0) => plain("JSONField"),
        ("inet", 0) => plain("GenericIPAddressField"),
        ("hstore", 0) => plain("HStoreField"),
        ("tsvector", 0) => plain("SearchVectorField"),
        ("int4range", 0) => plain("IntegerRangeField"),
        ("int8range", 0) => plain("BigIntegerRangeField"),
        ("numrange", 0) => plain("DecimalRangeField"),
        ("daterange", 0) => plain("DateRangeField"),
        ("tstzrange", 0) => plain("DateTimeRangeField"),
        _ => None,
    }
}

pub(crate) fn has_time_zone(ty: &str) -> bool {
    take(ty).with_time_zone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_said_as_the_framework_says_them() {
        let mapped = |ty| annotation(&sqlalchemy(Dialect::Postgres, ty).unwrap());
        assert_eq!(mapped("numeric(10, 2)").as_deref(), Some("Decimal"));
        assert_eq!(mapped("text[]").as_deref(), Some("list[str]"));
        assert_eq!(mapped("jsonb"), None);
        let sa = |ty| sqlalchemy(Dialect::Postgres, ty).map(|ty| ty.call);
        assert_eq!(sa("character varying(255)").as_deref(), Some("sa.String(255)"));
        assert_eq!(sa("timestamp with time zone").as_deref(), Some("sa.DateTime(timezone=True)"));
        assert_eq!(sa("timestamptz").as_deref(), Some("sa.DateTime(timezone=True)"));
        assert_eq!(sa("numeric(10, 2)").as_deref(), Some("sa.Numeric(10, 2)"));
        assert_eq!(sa("text[]").as_deref(), Some("postgresql.ARRAY(sa.Text())"));
        assert_eq!(sa("timestamp(3)"), None);
        assert_eq!(sa("mood"), None);
        assert_eq!(django("varchar(20)").unwrap().args, [("max_length", "20".to_owned())]);
        let array = django("varchar(20)[]").unwrap();
        assert_eq!(array.name(), "ArrayField");
        assert_eq!(array.args, [("base_field", "models.CharField(max_length=20)".to_owned())]);
        assert_eq!(django("text[][]"), None);
        assert_eq!(django("mood"), None);
    }
}
