"""Keys, runs and threads."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("hint", sa.String(8), nullable=False),
        sa.Column("may_see_reasoning", sa.Boolean(), nullable=False),
        sa.Column("runs_per_minute", sa.Integer(), nullable=True),
        sa.Column("concurrent_runs", sa.Integer(), nullable=True),
        sa.Column("created", sa.Float(53), nullable=False),
        sa.Column("revoked", sa.Float(53), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("thread", sa.String(128), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("created", sa.Float(53), nullable=False),
        sa.Column("updated", sa.Float(53), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("route", sa.String(200), nullable=True),
        sa.Column("strategy", sa.String(64), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("ledger", sa.JSON(), nullable=True),
        sa.Column("difficulty", sa.Float(53), nullable=True),
        sa.Column("form", sa.String(16), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("ix_runs_owner_created_id", "runs", ["owner", "created", "id"])
    op.create_index("ix_runs_owner_thread", "runs", ["owner", "thread"])
    op.create_table(
        "threads",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("difficulty", sa.Float(53), nullable=True),
        sa.Column("form", sa.String(16), nullable=True),
        sa.Column("route", sa.String(200), nullable=True),
        sa.Column("updated", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("owner", "id", name="pk_threads"),
    )
    op.create_index("ix_threads_owner_digest", "threads", ["owner", "digest"])


def downgrade() -> None:
    op.drop_table("threads")
    op.drop_table("runs")
    op.drop_table("api_keys")
