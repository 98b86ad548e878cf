"""What runs leave to learn from, and the playbook's entries, from which Redis is filled again after a loss."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("lesson", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "playbook",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False),
        sa.Column("updated", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_playbook"),
    )
    op.create_index("ix_playbook_owner", "playbook", ["owner"])
