"""Hard cases of UPDATE and DELETE that read other tables: they arrive where one statement does."""

import subprocess

import pytest

import hard
import miggen
import rollouts
from hard import Lay, refusal, until
from shell import attempt

EVERYWHERE = pytest.mark.parametrize("lay", ["pg12", "pg15", "sqlite"], indirect=True)
POSTGRES = pytest.mark.parametrize("lay", ["pg12", "pg15"], indirect=True)

SCHEMA = """
    CREATE TABLE customers (
        id integer PRIMARY KEY, plan text, code text UNIQUE, rate numeric(12, 5), boss integer
    );
    CREATE INDEX customers_boss ON customers (boss);
    CREATE TABLE orders (
        tenant integer NOT NULL, id integer NOT NULL, customer_id integer, status varchar(40),
        amount integer, total numeric(8, 2), note text, PRIMARY KEY (tenant, id)
    );
    CREATE INDEX orders_customer ON orders (customer_id);
    CREATE TABLE archive (
        tenant integer NOT NULL, id integer NOT NULL, plan text, boss text, note text,
        UNIQUE (id, tenant)
    );
    CREATE TABLE prices (
        a integer NOT NULL, b integer NOT NULL, price numeric NOT NULL, PRIMARY KEY (a, b)
    );
"""

# Customers without a plan or a boss, orders without a customer or of none that is there.
ROWS = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000)
    INSERT INTO orders
    SELECT n % 3, n, CASE n % 7 WHEN 0 THEN NULL ELSE n % 400 END, 'new', n % 90, n, 'note ' || n
    FROM numbers;
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300)
    INSERT INTO customers
    SELECT n, CASE n % 5 WHEN 0 THEN NULL ELSE 'plan ' || n % 4 END, 'code ' || n, n * 1.11111,
        CASE n % 6 WHEN 0 THEN NULL ELSE n / 2 END
    FROM numbers;
    INSERT INTO prices SELECT tenant, id, amount * 1.23456 FROM orders WHERE amount > 20;
"""

CHANGES = {
    "without_a_partner_null": """
        UPDATE orders SET note = (SELECT plan FROM customers WHERE id = customer_id)
    """,
    "without_a_partner_untouched": """
        UPDATE orders AS o SET note = c.plan, status = 'of ' || c.code
        FROM customers c WHERE c.id = o.customer_id AND (c.rate > 20 OR o.amount < 40)
    """,
    "composite_key_and_rounding": """
        UPDATE orders SET total = p.price FROM prices p WHERE p.a = tenant AND p.b = id
    """,
    "two_partners": """
        UPDATE orders SET note = c.code || ' ' || b.code
        FROM customers c JOIN customers b ON b.id = c.boss WHERE c.id = customer_id
    """,
    "a_partner_that_may_be_missing": """
        UPDATE orders SET note = b.code
        FROM customers c -- who
            LEFT JOIN customers b ON b.id = c.boss
        WHERE c.id = customer_id
    """,
    "an_average": """
        UPDATE customers SET rate = (
            SELECT coalesce(avg(amount), 0) FROM orders o WHERE o.customer_id = customers.id
        )
    """,
    "the_latest": """
        UPDATE customers SET plan = (
            SELECT note FROM orders o WHERE o.customer_id = customers.id
            ORDER BY amount DESC, tenant, o.id LIMIT 1
        )
        WHERE EXISTS (SELECT * FROM orders o WHERE o.customer_id = customers.id)
    """,
    "the_same_table": """
        UPDATE customers SET plan = (SELECT b.code FROM customers b WHERE b.id = customers.boss)
        WHERE boss IS NOT NULL
    """,
    "a_constant": """
        UPDATE orders SET note = 'it''s 100%', amount = 7
        FROM customers c WHERE c.boss = customer_id
    """,
    "names_in_quotes": """
        UPDATE orders AS "select" SET note = '%s {x} ' || "C".plan
        FROM customers "C" WHERE "C".id = "select".customer_id
    """,
    "a_row": """
        UPDATE orders SET (note, status) = (upper(note), coalesce('a,b', 'c')) WHERE id < 2000
    """,
    "or_of_brackets": "UPDATE orders SET note = 'x' WHERE (amount = 1) OR (amount = 2)",
    "delete_in": """
        DELETE FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE rate > 9)
    """,
    "delete_not_exists": """
        DELETE FROM orders WHERE customer_id IS NULL
            OR NOT EXISTS (SELECT 1 FROM customers WHERE id = orders.customer_id)
    """,
    "copy_join": """
        INSERT INTO archive (tenant, id, plan, note)
        SELECT o.tenant, o.id, c.plan || ' ' || status, 'it''s'
        FROM orders o JOIN customers c ON c.id = o.customer_id WHERE amount > 20 OR c.rate > 9
    """,
    "copy_several_joins": """
        INSERT INTO archive (plan, boss, id, tenant, note)
        SELECT c.code, b.code, orders.id, tenant, (SELECT max(price) FROM prices WHERE a = tenant)
        FROM orders
            INNER JOIN customers c ON c.id = customer_id AND CASE WHEN amount > 9 THEN 1 END = 1
            LEFT JOIN customers b ON b.id = c.boss
    """,
    "copy_with_a_comma": """
        INSERT INTO archive (tenant, id, plan)
        SELECT tenant, orders.id, left_of.plan FROM orders, customers AS left_of -- who
        WHERE left_of.id = customer_id
    """,
    "copy_subqueries": """
        INSERT INTO archive (tenant, id, plan)
        SELECT "archived".tenant, id, (SELECT plan FROM customers WHERE id = "archived".customer_id)
        FROM orders AS "archived" WHERE customer_id IN (SELECT id FROM customers WHERE rate < 200)
    """,
    "delete_by_alias": "DELETE FROM orders AS o WHERE o.amount = 1 OR o.amount = 2",
}


@EVERYWHERE
@pytest.mark.parametrize("name", CHANGES)
def test_arrives_where_one_statement_does(lay: Lay, name: str) -> None:
    hard.arrives(lay(SCHEMA, ROWS), CHANGES[name])


@POSTGRES
def test_delete_using(lay: Lay) -> None:
    """Several partners are no harm: the row goes once."""
    change = (
        "DELETE FROM orders o USING customers c, prices p WHERE c.boss = customer_id AND p.a = 1"
    )
    hard.arrives(lay(SCHEMA, ROWS), change)


@POSTGRES
def test_hc43_join_killed_and_run_again(lay: Lay) -> None:
    """Killed while it joins, then run to its end: the rows that one statement makes."""
    project = lay(SCHEMA, ROWS)
    reference = project.database.copy()
    reference.script(CHANGES["without_a_partner_untouched"])
    step = miggen.plan(project, CHANGES["without_a_partner_untouched"]).deploy.steps[0]
    slow = project.env | {"PGOPTIONS": "-c miggen.pause=0.02"}
    runner = subprocess.Popen(step.up[0], shell=True, cwd=project.root, env=slow)
    until(
        lambda: project.database.rows("SELECT count(*) FROM orders WHERE status <> 'new'")[0][0] > 0
    )
    project.database.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO $backfill%'"
    )
    runner.wait()
    rollouts.up(project, step)
    everything = "SELECT * FROM orders ORDER BY tenant, id"
    assert project.database.rows(everything) == reference.rows(everything)
    reference.drop()


@POSTGRES
def test_hc45_a_partner_changes_meanwhile(lay: Lay) -> None:
    """A value that is another one by now is written by the next run; no run goes on for ever."""
    project = lay(SCHEMA, ROWS)
    change = CHANGES["without_a_partner_null"]
    step = miggen.plan(project, change).deploy.steps[0]
    rollouts.up(project, step)
    project.database.rows("UPDATE customers SET plan = NULL WHERE id % 2 = 0 RETURNING id")
    rollouts.up(project, step)
    assert project.database.rows(
        "SELECT count(*) FROM orders o LEFT JOIN customers c ON c.id = customer_id "
        "WHERE note IS DISTINCT FROM plan"
    ) == [(0,)]


@POSTGRES
def test_a_second_partner_stops_the_statement(lay: Lay) -> None:
    """What nobody can prove from the schema, the server refuses: no value is picked by chance."""
    project = lay(SCHEMA, ROWS)
    change = (
        "UPDATE customers SET plan = (SELECT note FROM orders WHERE customer_id = customers.id)"
    )
    rollout = miggen.plan(project, change)
    step = rollout.deploy.steps[0]
    done = attempt(step.up[0], project.root, project.env)
    assert done.returncode != 0
    assert "more than one row returned by a subquery" in done.stdout
    assert (
        "where `orders` has several rows for one"
        in (project.root / rollout.folder / "RUNBOOK.md").read_text()
    )


@pytest.mark.parametrize("lay", ["sqlite"], indirect=True)
def test_sqlite_picks_no_partner_by_chance(lay: Lay) -> None:
    """SQLite itself would take the first row that it meets."""
    project = lay(SCHEMA, ROWS)
    for change in [
        "UPDATE customers SET plan = (SELECT note FROM orders WHERE customer_id = customers.id)",
        "UPDATE customers SET plan = (SELECT max(note, 'a') FROM orders WHERE customer_id = boss)",
        "UPDATE orders SET note = (SELECT plan FROM customers WHERE code = orders.customer_id)",
        "UPDATE customers SET plan = (SELECT note || max(id) FROM orders WHERE customer_id = 7)",
    ]:
        assert "may have several rows here" in refusal(project, change)


@pytest.mark.parametrize("lay", ["sqlite"], indirect=True)
def test_filled_and_required_on_sqlite(lay: Lay) -> None:
    """The table is written anew when the rows have their values."""
    project = lay(SCHEMA, ROWS + "UPDATE orders SET note = NULL;")
    value = "(SELECT coalesce(max(plan), 'none') FROM customers WHERE id = customer_id)"
    change = f"UPDATE orders SET note = {value}; ALTER TABLE orders ALTER note SET NOT NULL"
    hard.run(project, change)
    assert project.database.rows("SELECT count(*) FROM orders WHERE note IS NULL") == [(0,)]
    required = "SELECT \"notnull\" FROM pragma_table_info('orders') WHERE name = 'note'"
    assert project.database.rows(required) == [(1,)]


@POSTGRES
def test_hc42_volatile_value_beside_a_join(lay: Lay) -> None:
    """The condition itself says which rows are done: a second run changes none."""
    project = lay(SCHEMA, ROWS + "UPDATE orders SET note = NULL;")
    change = (
        "UPDATE orders o SET note = md5(random()::text) || c.code FROM customers c "
        "WHERE c.id = o.customer_id AND (o.note IS NULL) AND c.rate > 9"
    )
    step = hard.run(project, change).deploy.steps[0]
    notes = "SELECT tenant, id, note FROM orders WHERE note IS NOT NULL ORDER BY tenant, id"
    before = project.database.rows(notes)
    assert len(before) > 1000
    rollouts.up(project, step)
    assert project.database.rows(notes) == before


@POSTGRES
def test_filled_and_required(lay: Lay) -> None:
    """The rows first, then the constraint that proves it."""
    project = lay(SCHEMA, ROWS + "UPDATE orders SET note = NULL WHERE id % 2 = 0;")
    hard.arrives(
        project,
        "UPDATE orders SET note = (SELECT 'of ' || max(code) FROM customers c WHERE c.id = amount) "
        "WHERE note IS NULL AND amount > 0; DELETE FROM orders WHERE amount = 0; "
        "ALTER TABLE orders ALTER note SET NOT NULL",
    )


@EVERYWHERE
def test_new_columns_are_filled_when_all_code_gives_them(lay: Lay) -> None:
    """What new code has written until then stays; the rest is what the one statement gives."""
    change = (
        "ALTER TABLE orders ADD COLUMN plan text; ALTER TABLE orders ADD COLUMN boss integer;"
        "UPDATE orders SET plan = c.plan, boss = c.boss FROM customers c WHERE c.id = customer_id"
    )
    hard.arrives(lay(SCHEMA, ROWS), change)
    project = lay(SCHEMA, ROWS)
    rollout = hard.run(project, change)
    assert project.database.rows("SELECT count(plan), count(boss) FROM orders") == [(0, 0)]
    project.database.script("UPDATE orders SET plan = 'mine' WHERE id < 10")
    hard.take(project, hard.following(project, rollout))
    mine = "SELECT count(*) FROM orders WHERE plan = 'mine'"
    assert project.database.rows(mine) == [(9,)]
    left = (
        "SELECT count(*) FROM orders JOIN customers c ON c.id = customer_id "
        "WHERE orders.plan IS NULL AND c.plan IS NOT NULL "
        "OR orders.boss IS NULL AND c.boss IS NOT NULL"
    )
    assert project.database.rows(left) == [(0,)]
