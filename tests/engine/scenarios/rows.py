"""Rows that go and rows that come, beside an application that writes another table."""

from scenario import Scenario
from scenarios.add_column import OLD, values

SCENARIOS = [
    Scenario(
        name="delete",
        table="users",
        sql="DELETE FROM posts WHERE created < '2020-06-01' OR title LIKE '%9'",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        at_end="SELECT id FROM posts WHERE created < '2020-06-01' OR title LIKE '%9'",
    ),
    Scenario(
        name="delete_subquery",
        targets=("raw", "alembic"),
        table="users",
        sql="DELETE FROM posts WHERE author_id IN (SELECT id FROM users WHERE email LIKE 'User%') "
        "AND EXISTS "
        "(SELECT 1 FROM users u WHERE u.id = author_id AND (status = 'left' OR id % 9 = 0))",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        at_end="SELECT posts.id FROM posts JOIN users ON users.id = author_id "
        "WHERE email LIKE 'User%' AND (status = 'left' OR users.id % 9 = 0)",
    ),
    Scenario(
        name="delete_join",
        targets=("raw", "alembic"),
        table="users",
        sql={
            "postgres": "DELETE FROM posts p USING users AS u "
            "WHERE u.id = p.author_id AND (status = 'left' OR title LIKE '%9')"
        },
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        at_end="SELECT posts.id FROM posts JOIN users ON users.id = author_id "
        "WHERE status = 'left' OR title LIKE '%9'",
    ),
    Scenario(
        name="copy",
        table="users",
        sql="DELETE FROM posts WHERE id > 2500; INSERT INTO posts (id, author_id, title) "
        "SELECT id, id, lower(email) FROM users WHERE id <= 5000",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        at_end="SELECT id FROM users WHERE id <= 5000 AND id NOT IN (SELECT id FROM posts)",
    ),
    Scenario(
        name="copy_join",
        targets=("raw", "alembic"),
        table="users",
        sql="DELETE FROM posts WHERE id > 2500; INSERT INTO posts (id, author_id, title) "
        "SELECT u.id, same.id, lower(same.email) FROM users u JOIN users same ON same.id = u.id "
        "WHERE u.id <= 5000",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        at_end="SELECT id FROM users WHERE id <= 5000 AND id NOT IN (SELECT id FROM posts)",
    ),
    Scenario(
        name="seed",
        table="users",
        sql="INSERT INTO posts (id, author_id, title) "
        "VALUES (-1, 1, 'it''s 100%: {{ x }} ${y}'), (-2, 1, 'two')",
        old=OLD,
        new=OLD,
        values=values(),
        kept=("id", "email", "status"),
        # Its rows point to users, and the reference has none.
        reference={"postgres": "SELECT 1", "sqlite": "SELECT 1"},
        at_end="SELECT 'rows' WHERE 2 <> (SELECT count(*) FROM posts WHERE id < 0)",
    ),
]
