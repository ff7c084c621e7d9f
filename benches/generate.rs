//! What the generator itself costs: read a schema, plan, emit. It must grow with the schema and with
//! nothing else; 1,000 tables in under 50 ms.
//!
//! `cargo bench --bench generate`

use miggen::dialect::Server;
use miggen::generate::{Options, first};
use miggen::repo::Repo;
use miggen::rollout::Facts;
use miggen::source::Source;

fn main() {
    divan::main();
}

/// A dump as `pg_dump` writes it: keys and indexes apart from the tables, foreign keys between them.
fn schema(tables: usize) -> String {
    let mut text = String::new();
    for n in 0..tables {
        text.push_str(&format!(
            "CREATE TABLE public.t{n} (\n    id bigint NOT NULL,\n    parent_id bigint,\n    \
             email character varying(255) NOT NULL,\n    status text DEFAULT 'new'::text,\n    \
             amount numeric(12,2) DEFAULT 0.00,\n    payload jsonb,\n    \
             created timestamp without time zone DEFAULT now() NOT NULL,\n    \
             CONSTRAINT t{n}_amount_check CHECK ((amount >= (0)::numeric))\n);\n"
        ));
        text.push_str(&format!(
            "ALTER TABLE ONLY public.t{n}\n    ADD CONSTRAINT t{n}_pkey PRIMARY KEY (id);\n\
             CREATE INDEX t{n}_created_idx ON public.t{n} USING btree (created);\n"
        ));
        if n > 0 {
            text.push_str(&format!(
                "ALTER TABLE ONLY public.t{n}\n    ADD CONSTRAINT t{n}_parent_fkey FOREIGN KEY (parent_id) \
                 REFERENCES public.t{}(id);\n",
                n - 1
            ));
        }
    }
    text
}

#[divan::bench(args = [100, 1_000, 10_000], max_time = 3)]
fn plan_and_emit(bencher: divan::Bencher, tables: usize) {
    let folder = tempfile::tempdir().unwrap();
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::write(migrations.join("001_initial.up.sql"), "").unwrap();
    std::fs::write(migrations.join("001_initial.down.sql"), "").unwrap();
    let change = "ALTER TABLE t7 RENAME COLUMN created TO created_at;\n\
                  ALTER TABLE t8 ADD COLUMN verified boolean NOT NULL DEFAULT false;\n";
    let options = Options {
        repo: Repo::new(folder.path()),
        target: "raw".into(),
        server: Server::parse("postgres@15").unwrap(),
        change: Source::new("change.sql", change),
        schema: vec![Source::new("schema.sql", schema(tables))],
        schema_name: "schema.sql".into(),
        facts: Facts { downtime: "none".into(), ..Facts::default() },
        typed_rows: Vec::new(),
        keep: None,
        name: None,
        author: None,
        reason: None,
        folder: None,
        parent: None,
        now: chrono::DateTime::from_timestamp(1_795_253_400, 0).unwrap().naive_utc(),
        all: false,
    };
    bencher.bench_local(|| first(&options).unwrap().new.len());
}
