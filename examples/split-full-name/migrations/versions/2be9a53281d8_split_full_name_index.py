"""replace users.full_name by first_name and last_name, 3/3: index

Revision ID: 2be9a53281d8
Revises: a3c4915859fb
Create Date: 2025-01-13 12:00:03.000000

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "2be9a53281d8"
down_revision: str | Sequence[str] | None = "a3c4915859fb"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

VERIFY = """
DO $guard$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('idx_users_last_name') AND indisvalid
    ) THEN
        RAISE EXCEPTION
            'idx_users_last_name is missing or invalid: run this again';
    END IF;
END
$guard$
"""


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        # A build that was cut off left an invalid index: so it is dropped first.
        op.drop_index(
            op.f("idx_users_last_name"),
            table_name="users",
            postgresql_concurrently=True,
            if_exists=True,
        )
        op.create_index(
            op.f("idx_users_last_name"),
            "users",
            ["last_name"],
            postgresql_concurrently=True,
        )
        op.execute(VERIFY)
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")


def downgrade() -> None:
    """Downgrade schema."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        op.drop_index(
            op.f("idx_users_last_name"),
            table_name="users",
            postgresql_concurrently=True,
            if_exists=True,
        )
        op.execute("RESET lock_timeout")
        op.execute("RESET statement_timeout")
