//! How fast a dump is read and replayed: `cargo bench --bench input`.

use std::fmt::Write as _;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use miggen::catalog;
use miggen::input;
use miggen::source::{Dialect, Source};

fn main() {
    divan::main();
}

/// About 20 MB as `pg_dump` writes them: tables, keys, indexes, comments, functions, and a few rows.
fn postgres_dump() -> Source {
    let mut text = String::from("SET search_path = '';\n\n");
    for number in 0..12_000 {
        let _ = write!(
            text,
            "--\n-- Name: table_{number}; Type: TABLE; Schema: public; Owner: -\n--\n\n\
             CREATE TABLE public.table_{number} (\n\
             \x20   id bigint NOT NULL,\n\
             \x20   name character varying(255) DEFAULT 'it''s'::character varying NOT NULL,\n\
             \x20   kind public.kind DEFAULT 'plain'::public.kind,\n\
             \x20   amount numeric(10,2) DEFAULT 0.0 NOT NULL,\n\
             \x20   tags text[] DEFAULT '{{}}'::text[],\n\
             \x20   created_at timestamp(6) without time zone DEFAULT now() NOT NULL,\n\
             \x20   data jsonb,\n\
             \x20   CONSTRAINT table_{number}_check CHECK (((amount >= (0)::numeric) AND (name <> ''::text)))\n\
             );\n\n\
             COMMENT ON COLUMN public.table_{number}.name IS 'what people call it; never empty';\n\n\
             CREATE SEQUENCE public.table_{number}_id_seq\n    START WITH 1\n    INCREMENT BY 1\n    NO MINVALUE\n    NO MAXVALUE\n    CACHE 1;\n\n\
             ALTER SEQUENCE public.table_{number}_id_seq OWNED BY public.table_{number}.id;\n\n\
             ALTER TABLE ONLY public.table_{number} ALTER COLUMN id SET DEFAULT nextval('public.table_{number}_id_seq'::regclass);\n\n\
             ALTER TABLE ONLY public.table_{number}\n    ADD CONSTRAINT table_{number}_pkey PRIMARY KEY (id);\n\n\
             CREATE UNIQUE INDEX index_table_{number}_on_name ON public.table_{number} USING btree (lower((name)::text)) WHERE (kind IS NOT NULL);\n\n"
        );
    }
    text.push_str("CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\n");
    Source::new("dump.sql", text)
}

/// About 20 MB as `mysqldump` writes them: mostly rows.
fn mysql_dump() -> Source {
    let mut text = String::from("/*!40101 SET NAMES utf8mb4 */;\n");
    for number in 0..400 {
        let _ = write!(
            text,
            "DROP TABLE IF EXISTS `t{number}`;\nCREATE TABLE `t{number}` (\n  `id` int unsigned NOT NULL AUTO_INCREMENT,\n\
             \x20 `name` varchar(255) COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'a name',\n\
             \x20 PRIMARY KEY (`id`),\n  KEY `k` (`name`(20))\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n\
             INSERT INTO `t{number}` VALUES "
        );
        for row in 0..1_000 {
            let _ = write!(
                text,
                "({row},'it\\'s a row of the table, one of many (of them)',NULL),"
            );
        }
        text.push_str("(0,'',NULL);\n");
    }
    Source::new("dump.sql", text)
}

#[divan::bench(sample_count = 10)]
fn read_postgres(bencher: Bencher) {
    let source = postgres_dump();
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| input::read(black_box(&source), Dialect::Postgres).map(|read| read.len()));
}

#[divan::bench(sample_count = 10)]
fn read_mysql(bencher: Bencher) {
    let source = mysql_dump();
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| input::read(black_box(&source), Dialect::MySql).map(|read| read.len()));
}

#[divan::bench(sample_count = 3)]
fn replay_postgres(bencher: Bencher) {
    let source = postgres_dump();
    bencher
        .counter(BytesCount::new(source.text.len()))
        .bench(|| catalog::build(black_box(std::slice::from_ref(&source)), Dialect::Postgres));
}
