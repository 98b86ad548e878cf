"""Entries of the playbook by owner and id, since an entry that is imported keeps its id, and the runs that they have
outcomes of."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AT_ONCE = 10_000
_playbook = sa.table("playbook", sa.column("id"), sa.column("owner"), sa.column("entry", sa.JSON()))
_runs = sa.table("runs", sa.column("id"), sa.column("owner"), sa.column("lesson", sa.JSON(none_as_null=True)))
_outcomes = sa.table("playbook_outcomes", sa.column("owner"), sa.column("entry"), sa.column("run"))


def upgrade() -> None:
    with op.batch_alter_table("playbook") as table:
        table.drop_index("ix_playbook_owner")
        table.drop_constraint("pk_playbook", type_="primary")
        table.create_primary_key("pk_playbook", ["owner", "id"])
    op.create_table(
        "playbook_outcomes",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("entry", sa.String(32), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("owner", "entry", "run", name="pk_playbook_outcomes"),
    )
    op.create_index("ix_playbook_outcomes_owner_run", "playbook_outcomes", ["owner", "run"])
    connection = op.get_bind()
    known = _given_back(connection)
    found = sorted({*_named_by_entries(connection), *_named_by_runs(connection, known)})
    for start in range(0, len(found), _AT_ONCE):
        rows = [{"owner": owner, "entry": entry, "run": run} for owner, entry, run in found[start : start + _AT_ONCE]]
        connection.execute(_outcomes.insert(), rows)


def _given_back(connection: sa.Connection) -> set[tuple[str, str]]:
    """Owner and id of every entry. One that was imported for another owner stood in the row of the one it came from."""
    rows = connection.execute(sa.select(_playbook.c.owner, _playbook.c.id, _playbook.c.entry)).all()
    for owner, entry, values in rows:
        if values["owner"] != owner:
            mine = (_playbook.c.owner == owner, _playbook.c.id == entry)
            connection.execute(_playbook.update().where(*mine).values(owner=values["owner"]))
    return {(values["owner"], entry) for _, entry, values in rows}


def _named_by_entries(connection: sa.Connection) -> Iterator[tuple[str, str, str]]:
    for owner, entry, values in connection.execute(sa.select(_playbook.c.owner, _playbook.c.id, _playbook.c.entry)):
        for run in values["provenance"]:
            yield owner, entry, run


def _named_by_runs(connection: sa.Connection, known: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """An entry names its latest runs only. Runs of before are taken to have been learned from."""
    lessons = sa.select(_runs.c.owner, _runs.c.id, _runs.c.lesson).where(_runs.c.lesson.is_not(None))
    for owner, run, lesson in connection.execute(lessons):
        on_trial = lesson.get("on_trial")
        for entry in {*lesson.get("used", ()), *([on_trial["entry"]] if on_trial else ())}:
            if (owner, entry) in known:
                yield owner, entry, run
