"""The tools that a key's holder may use."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("tools", sa.JSON(none_as_null=True), nullable=True))
