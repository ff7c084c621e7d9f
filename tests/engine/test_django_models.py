"""Models that say more than their columns do: migrations tell Django what the models then say."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import consumers
import dumps
import hard
import miggen
import projects
import rollouts
import servers
from miggen import Rollout
from projects import Project

MODELS = """\
from accounts.models import User
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower, Now


class Post(models.Model):
    author = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    title = models.CharField(max_length=200, help_text="As readers see it.")
    state = models.CharField("status", max_length=20, choices=[("open", "Open"), ("done", "Done")])
    published = models.DateTimeField(null=True, db_column="published_on")
    votes = models.IntegerField(default=0)
    likes = models.IntegerField(default=0, help_text="Since last year.")
    place = models.CharField(max_length=90, help_text="Where it was written.", blank=True)
    email = models.EmailField(null=True)
    slug = models.TextField(unique=True)
    tags = models.JSONField(db_default={})
    created = models.DateTimeField(db_default=Now())
    readers = models.ManyToManyField(User, related_name="read")

    class Meta:
        db_table = "posts"
        unique_together = [("author", "created")]
        indexes = [
            models.Index(fields=["-votes", "title"], name="posts_votes"),
            models.Index(fields=["title"], condition=models.Q(state="open"), name="posts_open"),
            models.Index(Lower("email"), name="posts_email"),
            GinIndex(fields=["tags"], name="posts_tags"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(votes__gte=0), name="posts_votes_check"),
            models.CheckConstraint(
                condition=~models.Q(state="done") | models.Q(published__isnull=False),
                name="posts_done",
            ),
            models.UniqueConstraint(fields=["author", "title"], name="posts_title_once"),
        ]
"""
NOTES = """

class Notes(models.Model):
    id = models.BigAutoField(primary_key=True)
    post = models.ForeignKey(
        to="blog.post", on_delete=models.DO_NOTHING, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=9)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "notes"
        indexes = [
            models.Index(fields=["-at"], name="notes_at", condition=models.Q(kind="a")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["a", "b"]), name="notes_kind_check"
            ),
            models.UniqueConstraint(fields=["post", "kind"], name="notes_once"),
        ]
"""
LEGACY = """

class Legacy(models.Model):
    name = models.TextField()

    class Meta:
        db_table = "legacy"
        managed = False
"""
ROWS = """
    CREATE TABLE legacy (id bigserial PRIMARY KEY, name text NOT NULL);
    INSERT INTO users (email) SELECT 'u' || n FROM generate_series(1, 3) AS n;
    INSERT INTO posts (author_id, title, state, votes, likes, place, email, slug, created)
    SELECT n % 3 + 1, 'Title ' || n, 'open', n, n, '', 'E' || n || '@x', 's' || n,
        now() - n * interval '1 day'
    FROM generate_series(1, 50) AS n
"""
INDEXES = "        ]\n        constraints"
CONSTRAINTS = 'name="posts_title_once"),\n'


class Case(NamedTuple):
    name: str
    change: str
    # What stands in the models, and what instead of it from that deploy on.
    edits: tuple[tuple[str, str], ...]
    deploy: int = 1
    told: tuple[str, ...] = ()


def index(name: str, change: str, text: str) -> Case:
    return Case(name, change, ((INDEXES, f"            {text},\n{INDEXES}"),))


def field(name: str, change: str, text: str) -> Case:
    last = "    created = models.DateTimeField(db_default=Now())\n"
    return Case(name, f"ALTER TABLE posts {change}", ((last, f"{last}    x = models.{text}\n"),))


def imported(name: str, change: str, text: str, line: str) -> Case:
    """A field of which the models do not know yet where it is from."""
    plain = field(name, change, "")
    (old, new) = plain.edits[0]
    new = new.replace("x = models.", f"x = {text}")
    told = (f"+{line}\n", f"+    x = {text}\n")
    django = "from django.contrib.postgres.indexes import GinIndex\n"
    return plain._replace(edits=((old, new), (django, f"{django}{line}\n")), told=told)


def constraint(name: str, change: str, text: str) -> Case:
    return Case(name, change, ((CONSTRAINTS, f"{CONSTRAINTS}            {text},\n"),))


CASES = (
    Case(
        "rename",
        "ALTER TABLE posts RENAME COLUMN state TO stage",
        (
            ("    state = ", "    stage = "),
            ('Q(state="open")', 'Q(stage="open")'),
            ('Q(state="done")', 'Q(stage="done")'),
        ),
    ),
    Case(
        "rename_of_a_column_with_a_name_of_its_own",
        "ALTER TABLE posts RENAME COLUMN published_on TO published_at",
        (('db_column="published_on"', 'db_column="published_at"'),),
    ),
    Case(
        "rename_to_the_name_of_the_field",
        "ALTER TABLE posts RENAME COLUMN published_on TO published",
        ((', db_column="published_on"', ""),),
    ),
    Case(
        "rename_of_a_reference",
        "ALTER TABLE posts RENAME COLUMN author_id TO writer_id",
        (
            ("    author = ", "    writer = "),
            ('("author", "created")', '("writer", "created")'),
            ('["author", "title"]', '["writer", "title"]'),
        ),
    ),
    Case(
        "drop",
        "ALTER TABLE posts DROP COLUMN title",
        (
            ('    title = models.CharField(max_length=200, help_text="As readers see it.")\n', ""),
            ('            models.Index(fields=["-votes", "title"], name="posts_votes"),\n', ""),
            (
                '            models.Index(fields=["title"], condition=models.Q(state="open"), '
                'name="posts_open"),\n',
                "",
            ),
            (
                '            models.UniqueConstraint(fields=["author", "title"], '
                'name="posts_title_once"),\n',
                "",
            ),
        ),
    ),
    Case(
        "longer",
        "ALTER TABLE posts ALTER COLUMN place TYPE varchar(120)",
        (("max_length=90, help", "max_length=120, help"),),
    ),
    Case(
        "another_type",
        "ALTER TABLE posts ALTER COLUMN likes TYPE bigint",
        (("likes = models.IntegerField", "likes = models.BigIntegerField"),),
        2,
    ),
    Case(
        "required",
        "UPDATE posts SET email = '' WHERE email IS NULL; "
        "ALTER TABLE posts ALTER COLUMN email SET NOT NULL",
        (("models.EmailField(null=True)", "models.EmailField()"),),
    ),
    Case(
        "reference_required",
        "ALTER TABLE posts ALTER COLUMN author_id SET NOT NULL",
        (("on_delete=models.CASCADE, null=True", "on_delete=models.CASCADE"),),
    ),
    Case(
        "default",
        "ALTER TABLE posts ALTER COLUMN state SET DEFAULT 'open'",
        (('"Done")])', '"Done")], default="open", db_default="open")'),),
    ),
    field(
        "json", "ADD COLUMN x jsonb NOT NULL DEFAULT '{}'", "JSONField(default=dict, db_default={})"
    ),
    field(
        "json_list",
        "ADD COLUMN x jsonb NOT NULL DEFAULT '[]'",
        "JSONField(default=list, db_default=[])",
    ),
    field(
        "float",
        "ADD COLUMN x float8 DEFAULT 0.5",
        "FloatField(default=0.5, db_default=0.5, null=True)",
    ),
    field("collation", 'ADD COLUMN x text COLLATE "C"', 'TextField(db_collation="C", null=True)'),
    field("any_length", "ADD COLUMN x varchar", "CharField(null=True)"),
    field(
        "commented",
        "ADD COLUMN x int; COMMENT ON COLUMN posts.x IS 'It''s 1'",
        'IntegerField(null=True, db_comment="It\'s 1")',
    ),
    imported(
        "array",
        "ADD COLUMN x text[] NOT NULL DEFAULT '{}'",
        "ArrayField(base_field=models.TextField(), default=list, db_default=[])",
        "from django.contrib.postgres.fields import ArrayField",
    ),
    imported(
        "array_of_numbers",
        "ADD COLUMN x numeric(8, 2)[]",
        "ArrayField(base_field=models.DecimalField(max_digits=8, decimal_places=2), null=True)",
        "from django.contrib.postgres.fields import ArrayField",
    ),
    imported(
        "decimal",
        "ADD COLUMN x numeric(8, 2) NOT NULL DEFAULT 1.50",
        "models.DecimalField("
        'max_digits=8, decimal_places=2, default=Decimal("1.50"), db_default=Decimal("1.50"))',
        "from decimal import Decimal",
    ),
    imported(
        "random",
        "ADD COLUMN x uuid NOT NULL DEFAULT gen_random_uuid()",
        "models.UUIDField(db_default=RandomUUID())",
        "from django.contrib.postgres.functions import RandomUUID",
    ),
    imported(
        "range",
        "ADD COLUMN x tstzrange",
        "DateTimeRangeField(null=True)",
        "from django.contrib.postgres.fields import DateTimeRangeField",
    ),
    imported(
        "search",
        "ADD COLUMN x tsvector",
        "SearchVectorField(null=True)",
        "from django.contrib.postgres.search import SearchVectorField",
    ),
    Case(
        "comment",
        "COMMENT ON COLUMN posts.place IS 'where'",
        (('was written.", blank=True', 'was written.", blank=True, db_comment="where"'),),
    ),
    Case(
        "comment_on_the_table",
        "COMMENT ON TABLE posts IS 'Written.'",
        (('db_table = "posts"', 'db_table = "posts"\n        db_table_comment = "Written."'),),
    ),
    field("no_zone", "ADD COLUMN x timestamp", "DateTimeField(null=True)"),
    field(
        "reference_elsewhere",
        "ADD COLUMN x text REFERENCES posts (slug)",
        'ForeignKey(to="blog.post", to_field="slug", db_column="x", '
        'on_delete=models.DO_NOTHING, db_index=False, related_name="+", null=True)',
    ),
    Case(
        "unmanaged",
        "ALTER TABLE legacy ADD COLUMN x text; CREATE INDEX legacy_x ON legacy (x)",
        (),
    ),
    Case(
        "no_default",
        "ALTER TABLE posts ALTER COLUMN created DROP DEFAULT",
        (
            ("DateTimeField(db_default=Now())", "DateTimeField()"),
            ("import Lower, Now", "import Lower"),
        ),
    ),
    Case(
        "no_check",
        "ALTER TABLE posts DROP CONSTRAINT posts_votes_check",
        (
            (
                "            models.CheckConstraint(condition=models.Q(votes__gte=0), "
                'name="posts_votes_check"),\n',
                "",
            ),
        ),
    ),
    Case(
        "another_check",
        "ALTER TABLE posts DROP CONSTRAINT posts_votes_check, "
        "ADD CONSTRAINT posts_votes_check CHECK (votes >= -5)",
        (("models.Q(votes__gte=0)", "models.Q(votes__gte=-5)"),),
    ),
    Case(
        "another_index",
        "DROP INDEX posts_votes; CREATE INDEX posts_votes ON posts (votes)",
        (('fields=["-votes", "title"]', 'fields=["votes"]'),),
    ),
    Case(
        "not_unique",
        "ALTER TABLE posts DROP CONSTRAINT posts_slug_key",
        (("models.TextField(unique=True)", "models.TextField()"),),
        told=("-    slug = models.TextField(unique=True)\n+    slug = models.TextField()\n",),
    ),
    Case(
        "not_unique_together",
        "ALTER TABLE posts DROP CONSTRAINT posts_together",
        (('        unique_together = [("author", "created")]\n', ""),),
        told=('# unique_together: without ("author", "created")',),
    ),
    Case(
        "no_index",
        "DROP INDEX posts_votes",
        (('            models.Index(fields=["-votes", "title"], name="posts_votes"),\n', ""),),
    ),
    index(
        "index_descending",
        "CREATE INDEX posts_new ON posts (state, published_on DESC)",
        'models.Index(fields=["state", "-published"], name="posts_new")',
    ),
    index(
        "index_nulls_last",
        "CREATE INDEX posts_new ON posts (published_on DESC NULLS LAST)",
        'models.Index(models.F("published").desc(nulls_last=True), name="posts_new")',
    ),
    index(
        "index_partial",
        "CREATE INDEX posts_new ON posts (created) INCLUDE (title) "
        "WHERE state IN ('open', 'done') AND votes > 0 AND published_on IS NOT NULL",
        'models.Index(fields=["created"], name="posts_new", condition='
        'models.Q(state__in=["open", "done"], votes__gt=0, published__isnull=False), '
        'include=["title"])',
    ),
    index(
        "index_or",
        "CREATE INDEX posts_new ON posts (created) "
        "WHERE votes BETWEEN 1000000 AND 2000000 OR state <> 'open' OR title = 'a long title'",
        'models.Index(fields=["created"], name="posts_new", condition='
        'models.Q(votes__range=(1000000, 2000000)) | ~models.Q(state="open") | '
        'models.Q(title="a long title"))',
    ),
    index(
        "index_gin",
        "CREATE INDEX posts_new ON posts USING gin (tags jsonb_path_ops)",
        'GinIndex(fields=["tags"], opclasses=["jsonb_path_ops"], name="posts_new")',
    ),
    index(
        "index_lower",
        "CREATE INDEX posts_new ON posts (lower(title))",
        'models.Index(Lower("title"), name="posts_new")',
    ),
    constraint(
        "unique_partial",
        "CREATE UNIQUE INDEX posts_new ON posts (author_id, title) WHERE state = 'open'",
        'models.UniqueConstraint(fields=["author", "title"], name="posts_new", '
        'condition=models.Q(state="open"))',
    ),
    constraint(
        "unique_lower",
        "CREATE UNIQUE INDEX posts_new ON posts (lower(slug))",
        'models.UniqueConstraint(Lower("slug"), name="posts_new")',
    ),
    constraint(
        "unique",
        "ALTER TABLE posts ADD CONSTRAINT posts_new UNIQUE (author_id, slug)",
        'models.UniqueConstraint(fields=["author", "slug"], name="posts_new")',
    ),
    constraint(
        "check",
        "ALTER TABLE posts ADD CONSTRAINT posts_new CHECK (votes < 100 OR published_on > created)",
        "models.CheckConstraint(condition=models.Q(votes__lt=100) | "
        'models.Q(published__gt=models.F("created")), name="posts_new")',
    ),
    Case(
        "table",
        "CREATE TABLE notes (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "
        "post_id bigint NOT NULL REFERENCES posts, "
        "kind varchar(9) NOT NULL CHECK (kind IN ('a', 'b')), "
        "at timestamptz NOT NULL DEFAULT now());"
        "CREATE INDEX notes_at ON notes (at DESC) WHERE kind = 'a';"
        "CREATE UNIQUE INDEX notes_once ON notes (post_id, kind)",
        (("\n\nclass Post(", NOTES + "\n\nclass Post("),),
    ),
)


@pytest.fixture
def blog(running: servers.Servers, tmp_path: Path) -> Iterator[Project]:
    """A blog whose first migrations Django wrote itself."""
    target = projects.TARGETS["django"]
    root = tmp_path / "repo"
    root.mkdir()
    target.lay_out(root, "postgres")
    (root / "blog/models.py").write_text(MODELS + LEGACY)
    (root / "blog/migrations/0001_initial.py").unlink()
    server = running.get("pg15")
    project = Project(target, server, root, server.create(tmp_path))
    project.run("python manage.py makemigrations")
    project.run(target.initial(server.dialect))
    project.database.script(ROWS)
    # Django makes up a name with a hash in it; this one can be asked for.
    made = "SELECT conname FROM pg_constraint WHERE conname LIKE 'posts%created%uniq'"
    old = project.database.rows(made)[0][0]
    project.database.script(f'ALTER TABLE posts RENAME CONSTRAINT "{old}" TO posts_together')
    (root / "schema.sql").write_text(projects.schema_file(project))
    yield project
    project.database.drop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_models_say_what_migrations_say(blog: Project, case: Case) -> None:
    reference = blog.database.copy()
    reference.script(case.change)
    folder = ("--dir=blog/migrations",) if "CREATE TABLE" in case.change else ()
    rollout = miggen.plan(blog, case.change, *folder)
    runbook = (blog.root / rollout.folder / "RUNBOOK.md").read_text()
    assert all(line in runbook for line in case.told), runbook
    take(blog, case, rollout, runbook)
    for step in reversed(rollout.deploy.steps):
        rollouts.down(blog, step)
    for step in rollout.deploy.steps:
        rollouts.up(blog, step)
    while not rollout.is_last:
        rollout = hard.following(blog, rollout)
        take(blog, case, rollout, runbook)
    shapes = (dumps.shape(reference), dumps.shape(blog.database))
    dumps.assert_same(*shapes, "not where the change leads", ("wanted", "is"))
    reference.drop()


def test_a_column_that_the_database_computes(blog: Project) -> None:
    case = imported(
        "computed",
        "ADD COLUMN x int GENERATED ALWAYS AS (votes + likes) STORED",
        'models.GeneratedField(expression=RawSQL("votes + likes", []), '
        "output_field=models.IntegerField(), db_persist=True, null=True)",
        "from django.db.models.expressions import RawSQL",
    )
    rollout = miggen.plan(blog, case.change, "--downtime=5m")
    runbook = (blog.root / rollout.folder / "RUNBOOK.md").read_text()
    assert all(line in runbook for line in case.told), runbook
    take(blog, case, rollout, runbook)


def test_a_table_that_is_named_after_another(blog: Project) -> None:
    """Django would look for the readers of a post under the table's new name."""
    said = hard.refusal(blog, "ALTER TABLE posts RENAME TO articles")
    assert "Django looks for the rows of Post.readers in a table named after `posts`" in said


def take(blog: Project, case: Case, rollout: Rollout, runbook: str) -> None:
    """One deploy and its models: Django finds nothing to add, neither to them nor to the files."""
    consumers.check(blog, rollout)
    hard.take(blog, rollout)
    if rollout.current == case.deploy:
        for old, new in case.edits:
            blog.edit("blog/models.py", old, new)
            if old in (INDEXES, CONSTRAINTS):
                assert new.replace(old, "").strip(" ,\n") in runbook
    blog.run(str(blog.target.drift))
