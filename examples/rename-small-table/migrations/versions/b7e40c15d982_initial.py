"""initial

Revision ID: b7e40c15d982
Revises:
Create Date: 2024-03-04 09:00:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "b7e40c15d982"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "countries",
        sa.Column("code", sa.CHAR(2), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
    )
    op.create_index("countries_title_idx", "countries", ["title"], unique=True)


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("countries")
