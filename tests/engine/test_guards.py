"""Guards see what moved since the plan was made."""

import pytest

import miggen
import rollouts
from hard import Lay, carried
from shell import CommandFailed

TYPES = {
    "varchar(255)": "varchar(100)",
    "character(3)": "character(5)",
    "char": "char(2)",
    "bit": "bit(2)",
    "numeric(10, 2)": "numeric(12, 2)",
    "timestamp(3)": "timestamp(6)",
    "time(0) with time zone": "time(3) with time zone",
    "double precision": "real",
    "text[]": "varchar(3)[]",
}


@pytest.mark.parametrize("lay", ["pg12", "pg18"], indirect=True)
@pytest.mark.parametrize("ty", TYPES)
def test_another_type(lay: Lay, ty: str) -> None:
    """The column as it was planned for passes; one of another length does not."""
    rename = "ALTER TABLE t RENAME COLUMN a TO b"
    carried(lay(f"CREATE TABLE t (id int PRIMARY KEY, a {ty})"), rename)
    project = lay(f"CREATE TABLE t (id int PRIMARY KEY, a {ty})")
    rollout = miggen.plan(project, rename)
    project.database.script(f"ALTER TABLE t ALTER COLUMN a TYPE {TYPES[ty]}")
    with pytest.raises(CommandFailed, match="plan this change again"):
        rollouts.up(project, rollout.deploy.steps[0])


@pytest.mark.parametrize("lay", ["pg15"], indirect=True)
def test_a_column_that_became_required(lay: Lay) -> None:
    """Where only NOT NULL differs, the guard says so."""
    project = lay("CREATE TABLE t (id int PRIMARY KEY, a int)")
    rollout = miggen.plan(project, "ALTER TABLE t RENAME COLUMN a TO b")
    project.database.script("ALTER TABLE t ALTER COLUMN a SET NOT NULL")
    with pytest.raises(CommandFailed, match="t.a is not int, or NOT NULL by now: plan this"):
        rollouts.up(project, rollout.deploy.steps[0])
