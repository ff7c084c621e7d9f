"""Hard cases of columns: what hangs on a column, and what happens around it meanwhile."""

import re

import psycopg
import pytest

import hard
import miggen
import rollouts
from hard import (
    DROP,
    PLAIN,
    RENAME,
    ROWS,
    TO_VARCHAR,
    Lay,
    beside,
    carried,
    contents,
    fails,
    on_all,
    refusal,
)
from projects import Project

# What hangs on a column and is not the column's own: by number, schema, and how it is named.
IN_THE_WAY = [
    ("01", "CREATE VIEW v AS SELECT id, name FROM t", "the view v"),
    ("02", "CREATE MATERIALIZED VIEW v AS SELECT upper(name) AS u FROM t", "the view v"),
    ("03", "CREATE VIEW v AS SELECT * FROM t", "the view v"),
    (
        "04",
        "ALTER TABLE t ADD COLUMN g text GENERATED ALWAYS AS (upper(name)) STORED",
        "the generated column g",
    ),
    (
        "24",
        "CREATE POLICY p ON t USING (name = current_user); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "the policy p",
    ),
    (
        "96",
        "ALTER TABLE t ADD COLUMN v tsvector; CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON t"
        " FOR EACH ROW EXECUTE FUNCTION"
        " tsvector_update_trigger(v, 'pg_catalog.english', name)",
        "the trigger fill",
    ),
]


HIDDEN = """
    CREATE POLICY mine ON t USING (n = 1);
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
    CREATE ROLE {role}; ALTER TABLE t OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role};
"""


@pytest.mark.parametrize("change", [TO_VARCHAR, RENAME, "UPDATE t SET n = 7 WHERE n IS NULL"])
def test_hc24_rows_that_policies_hide(
    lay: Lay, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom policies apply to would fill some rows only, and count no others that are left."""
    project = lay(PLAIN, ROWS)
    role = f"keeper_{project.database.name}"
    project.database.script(HIDDEN.format(role=role))
    hard.again(project)
    rollout = miggen.plan(project, change)
    as_owner = project.database.env() | {"PGOPTIONS": f"-c role={role}"}
    with monkeypatch.context() as patch:
        patch.setattr(project.database, "env", lambda: as_owner)
        assert "policies may keep rows of t from this role" in hard.fails(project, rollout)
    hard.take(project, rollout)


@pytest.mark.parametrize("change", [DROP, TO_VARCHAR])
def test_hc01_a_view_that_reads_anothers_column(lay: Lay, change: str) -> None:
    more = "CREATE TABLE o (id int, name text); CREATE VIEW v AS SELECT t.id, o.name, count(*)"
    carried(lay(f"{PLAIN} {more} FROM t JOIN o ON o.id = t.n GROUP BY 1, 2", ROWS), change)


@pytest.mark.parametrize(("number", "more", "named"), IN_THE_WAY, ids=lambda v: v[:2])
def test_hc01_to_04_24_96_in_the_way(lay: Lay, number: str, more: str, named: str) -> None:
    """What stands on a column is named, not lost; a rename takes along what follows by itself."""
    project = lay(f"{PLAIN} {more}", ROWS)
    for change in (TO_VARCHAR, DROP, f"{DROP} CASCADE"):
        assert f"`name` is used by {named}" in refusal(project, change), change
    if number == "96":
        assert "the trigger fill names `name`" in refusal(project, RENAME)
    else:
        carried(project, RENAME)


def test_hc05_indexes(lay: Lay) -> None:
    """Keys of several columns, directions, INCLUDE, expressions and conditions come along."""
    indexes = """
        CREATE INDEX t_several ON t (n, name DESC NULLS LAST);
        CREATE INDEX t_include ON t (n) INCLUDE (name);
        CREATE UNIQUE INDEX t_unique ON t (name text_pattern_ops, id);
    """
    project = lay(PLAIN + indexes, ROWS)
    carried(project, TO_VARCHAR)
    carried(lay(PLAIN + indexes, ROWS), RENAME)
    for index in ("(lower(name))", "(n) WHERE name <> ''"):
        schema = f"{PLAIN} CREATE INDEX t_index ON t {index};"
        for change in (TO_VARCHAR, RENAME, DROP):
            carried(lay(schema, ROWS), change)


@on_all
@pytest.mark.parametrize(
    "more",
    [
        "ALTER TABLE t ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN k DROP NOT NULL",
        "CREATE INDEX t_several ON t (k, n); DROP INDEX t_n",
        "ALTER TABLE t ADD CONSTRAINT t_once UNIQUE (n)",
        "ALTER TABLE t ADD CONSTRAINT t_up FOREIGN KEY (n) REFERENCES t (id) ON DELETE SET NULL",
        "COMMENT ON COLUMN t.n IS 'counted'; ALTER TABLE t ALTER COLUMN k SET DEFAULT 7",
        "ALTER INDEX t_n RENAME TO t_by_n; COMMENT ON INDEX t_by_n IS 'x'",
        "ALTER TABLE t ALTER COLUMN id TYPE bigint; ALTER TABLE t ALTER COLUMN n SET NOT NULL",
    ],
)
def test_a_type_among_other_changes_of_its_column(lay: Lay, more: str) -> None:
    """What is done in one deploy comes first, wherever the script says it, and is taken along."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, n int, k int NOT NULL); CREATE INDEX t_n ON t (n)"
    rows = "INSERT INTO t SELECT n, n, n FROM generate_series(1, 90) AS n"
    types = "ALTER TABLE t ALTER COLUMN n TYPE bigint; ALTER TABLE t ALTER COLUMN k TYPE bigint"
    if "KEY" not in more and "UNIQUE" not in more and "INDEX t_several" not in more:
        carried(lay(schema, rows), f"{types}; {more}")
        return
    carried(lay(schema, rows), f"{types.split(';')[0]}; {more}")
    carried(lay(schema, rows), f"{more}; {types.split(';')[0]}")


@pytest.mark.parametrize(
    "more",
    [
        "ALTER TABLE t ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN n DROP NOT NULL",
        "DROP INDEX t_n",
        "DROP INDEX t_n; ALTER TABLE t ALTER COLUMN k SET NOT NULL",
    ],
)
def test_a_rename_behind_other_changes_of_its_column(lay: Lay, more: str) -> None:
    required = " NOT NULL" if "DROP NOT NULL" in more else ""
    schema = f"CREATE TABLE t (id int, n int{required}, k int); CREATE INDEX t_n ON t (n)"
    rows = "INSERT INTO t SELECT n, n, n FROM generate_series(1, 90) AS n"
    carried(lay(schema, rows), f"{more}; ALTER TABLE t RENAME COLUMN n TO m")


def test_hc12_all_that_a_column_has(lay: Lay) -> None:
    """Comment, statistics target, storage: the renamed column is the old one."""
    more = """
        COMMENT ON COLUMN t.name IS 'as written on the door';
        ALTER TABLE t ALTER COLUMN name SET STATISTICS 500;
        ALTER TABLE t ALTER COLUMN name SET STORAGE EXTERNAL;
    """
    carried(lay(PLAIN + more, ROWS), RENAME)
    granted = lay(f"{PLAIN} GRANT SELECT (name), UPDATE (name) ON t TO pg_monitor;", ROWS)
    for change in (RENAME, TO_VARCHAR):
        assert "a GRANT names it" in refusal(granted, change)


@pytest.mark.parametrize("change", [RENAME, TO_VARCHAR, DROP])
def test_hc12_comments_come_back(lay: Lay, change: str) -> None:
    """With what is made again: a column, its index, its constraint; up and back."""
    more = """
        CREATE INDEX t_name ON t (name);
        COMMENT ON COLUMN t.name IS 'as written on the door';
        COMMENT ON INDEX t_name IS 'for the search';
        COMMENT ON CONSTRAINT t_name_key ON t IS 'one door each';
    """
    carried(lay(PLAIN.replace("name text", "name text UNIQUE") + more, ROWS), change)


def test_small_table_beside_another(lay: Lay) -> None:
    """Another table's step between those of a small one: its CHECK comes back on the way back."""
    project = lay(f"{PLAIN} CREATE TABLE u (id int PRIMARY KEY, n int);", ROWS)
    change = "ALTER TABLE t ADD COLUMN x int CHECK (x < 9); CREATE INDEX u_n ON u (n);"
    rollout = hard.planned(project, change, "--rows=t=40", "--rows=u=40")
    assert rollout is not None
    hard.walk(project, rollout, change, writes_rows=False)


def test_hc25_no_window(lay: Lay) -> None:
    """The new column and its trigger come in one moment, and leave in one."""
    project = lay(PLAIN, ROWS)

    def look(connection: psycopg.Connection) -> None:
        connection.execute("UPDATE t SET name = name || '.' WHERE id = 9")
        found = connection.execute(
            "SELECT (SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass"
            " AND attname IN ('name', 'label')),"
            " (SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass)"
        ).fetchone()
        assert found in ((1, 0), (2, 1)), found

    with beside(look, project):
        rollout = hard.run(project, RENAME)
    same = "SELECT count(*) FROM t WHERE name IS DISTINCT FROM label"
    assert project.database.rows(same) == [(0,)]
    hard.take(project, hard.following(project, rollout))


def test_hc26_33_both_ways(lay: Lay) -> None:
    """Whichever name is written wins, in rows that are filled and in rows that are not yet."""
    project = lay(PLAIN, ROWS)
    rollout = miggen.plan(project, RENAME)
    rollouts.up(project, rollout.deploy.steps[0])
    project.database.script("UPDATE t SET n = 1 WHERE id = 11")
    project.database.script("UPDATE t SET label = 'new' WHERE id = 12")
    project.database.script("UPDATE t SET name = 'old' WHERE id = 13")
    project.database.script("UPDATE t SET name = NULL WHERE id = 15")
    project.database.script("INSERT INTO t (id, label) VALUES (1001, 'only new')")
    project.database.script("INSERT INTO t (id, name) VALUES (1002, 'only old')")
    for step in rollout.deploy.steps[1:]:
        rollouts.up(project, step)
        rollouts.verify(project, rollout, step)
    project.database.script("UPDATE t SET label = 'newer' WHERE id = 13")
    project.database.script("UPDATE t SET label = NULL WHERE id = 14")
    rows = "SELECT id, name, label FROM t WHERE id BETWEEN 11 AND 15 OR id > 1000 ORDER BY id"
    values = ["Name 11", "new", "newer", None, None, "only new", "only old"]
    assert [row[1] for row in project.database.rows(rows)] == values
    assert [row[2] for row in project.database.rows(rows)] == values


@pytest.mark.parametrize("trigger", ["a_trimmed", "zz_trimmed", "zzz_trimmed", "~trimmed"])
def test_hc28_firing_order(lay: Lay, trigger: str) -> None:
    """A trigger that changes what the new column derives from, whatever its name."""
    project = lay(
        f"""
        {PLAIN}
        CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN NEW.name := trim(NEW.name); RETURN NEW; END';
        CREATE TRIGGER "{trigger}" BEFORE INSERT OR UPDATE ON t
            FOR EACH ROW EXECUTE FUNCTION trimmed();
        """,
        ROWS,
    )
    hard.run(project, "ALTER TABLE t ADD COLUMN done text; UPDATE t SET done = lower(name)")
    project.database.script("INSERT INTO t (id, name) VALUES (0, '  New ')")
    project.database.script("UPDATE t SET name = ' Other  ' WHERE id = 1")
    wrong = "SELECT id, name, done FROM t WHERE done IS DISTINCT FROM lower(name)"
    assert project.database.rows(wrong) == []


@pytest.mark.parametrize(
    "change",
    [
        RENAME,
        TO_VARCHAR,
        "ALTER TABLE t ADD COLUMN done text; UPDATE t SET done = lower(name)",
        "ALTER TABLE t ALTER COLUMN name SET NOT NULL; UPDATE t SET name = '' WHERE name IS NULL",
    ],
)
def test_hc29_deferred_triggers(lay: Lay, change: str) -> None:
    """Events that wait for the commit make ALTER TABLE in the same transaction fail."""
    project = lay(
        f"""
        {PLAIN}
        CREATE TABLE seen (id int);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER looked AFTER INSERT OR UPDATE ON t
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();
        """,
        ROWS,
    )
    rollout = hard.run(project, change)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(project, step)
    hard.take(project, rollout)
    while not rollout.is_last:
        rollout = hard.following(project, rollout)
        hard.take(project, rollout)


def test_hc34_prepared_star(lay: Lay) -> None:
    """A prepared `SELECT *` fails once, as was said; one that names its columns does not."""
    project = lay(PLAIN, ROWS)
    with project.database.connect() as connection:
        connection.execute("PREPARE named AS SELECT id, name FROM t WHERE id = 1")
        connection.execute("PREPARE star AS SELECT * FROM t WHERE id = 1")
        for name in ("named", "star"):
            connection.execute(f"EXECUTE {name}")
        rollout = miggen.plan(project, RENAME)
        rollouts.up(project, rollout.deploy.steps[0])
        assert connection.execute("EXECUTE named").fetchone() == (1, "Name 1")
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan"):
            connection.execute("EXECUTE star")
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "cached plan must not change result type" in runbook


def test_hc58_partitioned(lay: Lay) -> None:
    project = lay(
        """
        CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE t (id int, p_id int) PARTITION BY RANGE (id);
        """
    )
    said = refusal(project, "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p (id)")
    assert "changing a partitioned table" in said


def test_hc54_indexes_of_a_dropped_column(lay: Lay) -> None:
    """Indexes go first, beside the writers, and the way back brings each of them."""
    project = lay(
        f"""
        {PLAIN} CREATE INDEX a ON t (name); CREATE INDEX b ON t (n, name);
        CREATE INDEX c ON t (lower(name)) WHERE n > 0; CREATE INDEX other ON t (n);
        """,
        ROWS,
    )
    rollout = carried(project, DROP)[-1]
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert "oint of no return" in runbook


@pytest.mark.parametrize("change", [RENAME, TO_VARCHAR])
def test_hc86_all_deploys_at_once(lay: Lay, change: str) -> None:
    """Who skips releases runs all files in one go: they ask, and find everything in place."""
    project = lay(PLAIN, ROWS)
    rollout = miggen.parse(miggen.run(project, *miggen.arguments(project), "--all", change))
    reference = project.database.copy()
    reference.script(change)
    for deploy in rollout.deploys:
        for step in deploy.steps:
            rollouts.up(project, step)
    wanted = Project(project.target, project.server, project.root, reference)
    assert contents(wanted) == contents(project)
    reference.drop()


def test_hc86_contract_without_its_backfill(lay: Lay) -> None:
    """Somebody marked the backfill as run: deploy 2 looks at the rows and not at the book."""
    project = lay(PLAIN, ROWS)
    rollout = miggen.plan(project, RENAME)
    rollouts.up(project, rollout.deploy.steps[0])
    contract = hard.following(project, rollout)
    said = fails(project, contract)
    assert "row" in said


def test_hc87_no_way_back_is_said_before(lay: Lay) -> None:
    project = lay(PLAIN, ROWS)
    rollout = miggen.plan(project, DROP)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    assert re.search(r"point of no return", runbook, re.I)
    assert "the values of name are lost" in runbook


@on_all
def test_hc97_pattern_and_collation(lay: Lay) -> None:
    """A pattern that the column's collation cannot match is refused; with another one it is not."""
    project = lay(
        """
        CREATE COLLATION plain (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE t (id int PRIMARY KEY, name text COLLATE plain);
        """,
        "INSERT INTO t VALUES (1, 'ab')",
    )
    change = "ALTER TABLE t ADD CONSTRAINT c CHECK (name {} ~ '^a')"
    with pytest.raises(psycopg.Error, match="nondeterministic"):
        project.database.script(change.format(""))
    assert "a pattern cannot be matched against `name`" in refusal(project, change.format(""))
    called = "ALTER TABLE t ADD CONSTRAINT f CHECK (regexp_replace(name, 'a', '') <> '')"
    assert "a pattern cannot be matched" in refusal(project, called)
    carried(project, change.format('COLLATE "C"'))
    carried(project, "ALTER TABLE t ADD CONSTRAINT d CHECK (name <> '~')")
    like = "ALTER TABLE t ADD CONSTRAINT e CHECK (name LIKE 'a%')"
    if project.server.id == "pg18":
        carried(project, like)
    else:
        assert "a pattern cannot be matched" in refusal(project, like)


@on_all
def test_a_replaced_column_with_a_default_comes_back(lay: Lay) -> None:
    """Computed again in every row: its default is for rows that come later."""
    schema = "CREATE TABLE t (id int PRIMARY KEY, amount numeric(10, 2) NOT NULL DEFAULT 0);"
    project = lay(schema, "INSERT INTO t SELECT n, n / 4.0 FROM generate_series(1, 9) AS n")
    carried(
        project,
        """
        ALTER TABLE t ADD COLUMN cents bigint; UPDATE t SET cents = (amount * 100)::bigint;
        -- miggen: back amount = cents / 100.0
        ALTER TABLE t DROP COLUMN amount
        """,
    )


@pytest.mark.parametrize("lay", ["pg12", "pg15", "sqlite"], indirect=True)
def test_hc54_an_index_is_dropped_before_its_column(lay: Lay) -> None:
    """As frameworks write it: the index goes with the column, whichever is said first."""
    schema = PLAIN + "CREATE INDEX t_name ON t (name); CREATE INDEX t_both ON t (n, name);"
    rows = "INSERT INTO t (id, name) VALUES (1, 'a'), (2, 'b')"
    carried(lay(schema, rows), f"DROP INDEX t_name; DROP INDEX t_both; {DROP}")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN x int, ADD COLUMN y int; UPDATE t SET x = n, y = k;"
        "CREATE UNIQUE INDEX t_x ON t (x) WHERE y > 0;"
        "ALTER TABLE t ADD CONSTRAINT t_xy CHECK (x > 0 OR y > 0)",
        "ALTER TABLE t ALTER COLUMN n TYPE bigint",
    ],
)
def test_what_the_runbook_asks_before_can_be_asked(lay: Lay, change: str) -> None:
    """Nobody can ask for a column that is not there yet."""
    schema = (
        "CREATE TABLE t (id int PRIMARY KEY, n int, k int CONSTRAINT t_k CHECK (k > 0));"
        "CREATE UNIQUE INDEX t_n ON t ((n % 1000)) WHERE k > 0;"
    )
    project = lay(schema, "INSERT INTO t SELECT n, n, n FROM generate_series(1, 50) AS n")
    rollout = miggen.plan(project, change)
    runbook = (project.root / rollout.folder / "RUNBOOK.md").read_text()
    asked = re.search(r"\*\*Before\*\*.*?```sql\n(.*?)```", runbook, re.DOTALL)
    assert asked
    (project.root / "before.sql").write_text(asked[1])
    project.run("psql -X -v ON_ERROR_STOP=1 -f before.sql")


@pytest.mark.parametrize("lay", ["pg12", "pg18", "sqlite"], indirect=True)
def test_a_check_that_quotes_the_name(lay: Lay) -> None:
    """As Django writes each of its own on SQLite: the same condition, whoever quotes what."""
    schema = (
        'CREATE TABLE t (id INTEGER PRIMARY KEY, "a" int, b int,'
        ' CONSTRAINT c CHECK ("a" > 0), CONSTRAINT ab CHECK ("a" < "b"));'
    )
    project = lay(schema, "INSERT INTO t VALUES (1, 1, 2), (2, 3, 4)")
    hard.carried(project, "ALTER TABLE t RENAME COLUMN a TO z")


PARTITIONED = """
    CREATE TABLE t (id int, n int NOT NULL DEFAULT 1, name text, PRIMARY KEY (id))
        PARTITION BY RANGE (id);
    CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);
    CREATE TABLE t_2 PARTITION OF t DEFAULT;
"""


@on_all
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ADD COLUMN note text",
        "ALTER TABLE t ADD note text NOT NULL DEFAULT 'none', ADD at date DEFAULT '2020-01-01'",
        "ALTER TABLE t ALTER COLUMN n SET DEFAULT 2",
        "ALTER TABLE t ALTER COLUMN n DROP DEFAULT",
        "ALTER TABLE t ALTER COLUMN n DROP NOT NULL",
    ],
)
def test_partitions_get_what_reads_no_row(lay: Lay, change: str) -> None:
    rows = "INSERT INTO t SELECT n, n, 'Name ' || n FROM generate_series(1, 300) AS n"
    carried(lay(PARTITIONED, rows), change)


@pytest.mark.parametrize(
    "more",
    ["UNIQUE", "REFERENCES t (id)", "CHECK (m > 0)", "DEFAULT random()", "; UPDATE t SET m = n"],
)
def test_partitions_are_not_read(lay: Lay, more: str) -> None:
    said = refusal(lay(PARTITIONED), f"ALTER TABLE t ADD COLUMN m int {more}")
    assert "`t` is partitioned" in said


HEIRS = (
    "CREATE TABLE t (id int PRIMARY KEY, n int, name text); CREATE TABLE c (x int) INHERITS (t);"
)


@pytest.mark.parametrize(
    "change",
    [
        RENAME,
        "ALTER TABLE t ALTER COLUMN n TYPE bigint",
        "ALTER TABLE t ADD COLUMN m int; UPDATE t SET m = n",
    ],
)
def test_no_trigger_sees_what_heirs_are_written(lay: Lay, change: str) -> None:
    project = lay(HEIRS)
    assert "other tables inherit from `t`" in refusal(project, change)
    assert "changing a table that inherits" in refusal(project, "ALTER TABLE c ADD COLUMN y int")
    carried(project, "ALTER TABLE t ADD COLUMN m int")


def test_a_domain_that_admits_no_null(lay: Lay) -> None:
    """Its column cannot come empty, and be filled behind."""
    flag = "CREATE DOMAIN flag AS boolean NOT NULL;"
    project = lay(f"{flag} CREATE TABLE t (id int PRIMARY KEY, is_made flag, n int)")
    said = refusal(project, "ALTER TABLE t RENAME COLUMN is_made TO made")
    assert "flag admits no NULL" in said


@on_all
def test_code_that_names_a_constraint_of_a_renamed_column(lay: Lay) -> None:
    """It goes on to do so at every step, and a violation goes on to tell that name."""
    project = lay(
        "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, CONSTRAINT t_name UNIQUE (name))",
        "INSERT INTO t SELECT n, 'Name ' || n FROM generate_series(1, 300) AS n",
    )

    def writes(column: str) -> None:
        insert = f"INSERT INTO t (id, {column}) VALUES (1000, 'Name 1')"
        project.database.script(f"{insert} ON CONFLICT ON CONSTRAINT t_name DO NOTHING")
        project.database.script(f"{insert} ON CONFLICT ({column}) DO UPDATE SET id = t.id")
        with pytest.raises(psycopg.errors.UniqueViolation, match='"t_name"'):
            project.database.script(insert)

    rollout = miggen.plan(project, RENAME)
    for step in rollout.deploy.steps:
        rollouts.up(project, step)
        writes("name")
    writes("label")
    rollout = hard.following(project, rollout)
    for step in rollout.deploy.steps:
        writes("label")
        rollouts.up(project, step)
    writes("label")


GAINED = (
    "CREATE INDEX new ON t ({})",
    "CREATE UNIQUE INDEX new ON t (id) WHERE {} > ''",
    "ALTER TABLE t ADD CONSTRAINT new CHECK ({} <> '')",
    "ALTER TABLE t ADD CONSTRAINT new UNIQUE ({})",
    "CREATE VIEW new AS SELECT {} FROM t",
)


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize(
    ("change", "column"), [(RENAME, "label"), (TO_VARCHAR, "name"), (DROP, "name")]
)
def test_what_came_upon_a_column_meanwhile(lay: Lay, change: str, column: str) -> None:
    """The server would drop it along with the column, and say nothing: the last deploy asks."""
    for new in GAINED:
        project = lay(
            PLAIN.replace("name text", "name text NOT NULL") + "CREATE INDEX i ON t (name)", ROWS
        )
        rollout = hard.run(project, change) if change != DROP else miggen.plan(project, change)
        while not rollout.is_last:
            rollout = hard.following(project, rollout)
            if not rollout.is_last:
                hard.take(project, rollout)
        gone = column if change != TO_VARCHAR else "name_old"
        project.database.script(new.format(gone))
        assert f"came upon t.{gone} since" in fails(project, rollout), new
        kind = "VIEW" if "VIEW" in new else "INDEX"
        undo = "ALTER TABLE t DROP CONSTRAINT new" if "ALTER" in new else f"DROP {kind} new"
        project.database.script(undo)
        hard.take(project, rollout)


@on_all
def test_what_came_upon_a_column_before_its_type_changes_over(lay: Lay) -> None:
    """A view would go on to read the old column, under its old name, and its old values."""
    for new in GAINED:
        project = lay(PLAIN, ROWS)
        rollout = hard.following(project, hard.run(project, TO_VARCHAR))
        project.database.script(new.format("name"))
        assert "came upon t.name since" in fails(project, rollout), new


@pytest.mark.parametrize("lay", ["pg15", "pg18"], indirect=True)
def test_a_publication_that_lists_the_column(lay: Lay) -> None:
    """Its list follows the old column, and does not let it go: refused, or asked for."""
    published = "CREATE PUBLICATION p FOR TABLE t (id, name)"
    project = lay(f"{PLAIN} {published}", ROWS)
    for change in (TO_VARCHAR, DROP):
        assert "`name` is used by the publication p" in refusal(project, change)
    project = lay(PLAIN, ROWS)
    rollout = hard.following(project, hard.run(project, TO_VARCHAR))
    project.database.script(published)
    assert "a publication came upon t.name since" in fails(project, rollout)
