"""Writes a migration: what the tables in the code have and the migrations before it do not make.

    .venv/bin/python tools/migration.py 0002_campaigns "Campaigns, tiers and rules"

Run again, it writes the same file anew. Read what it wrote: it cannot know how to fill a new column that may not be empty. Changed
CHECK constraints of tables that exist are found too, which Alembic does not look for.
"""

import importlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import DowngradeOps, UpgradeOps
from sqlalchemy import CheckConstraint, Connection, create_engine, inspect

from largesse.kernel.database import migrations
from largesse.kernel.database.columns import metadata

VERSIONS = Path(migrations.__file__).parent / "versions"
TEMPLATE = '''"""{summary}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
{up}


def downgrade() -> None:
{down}
'''


def main(name: str, summary: str) -> None:
    revision = name.partition("_")[0]
    earlier = sorted(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
    before = max((number for number in earlier if number < revision), default=None)
    importlib.import_module("largesse.app")  # stands on every room, and so on every table
    with tempfile.TemporaryDirectory() as directory:
        engine = create_engine(f"sqlite:///{directory}/schema.db")
        with engine.begin() as conn:
            if before is not None:
                config = migrations.configuration()
                config.attributes["connection"] = conn
                command.upgrade(config, before)
        with engine.connect() as conn:
            found = produce_migrations(MigrationContext.configure(conn), metadata)
            assert found.upgrade_ops is not None
            assert found.downgrade_ops is not None
            up, down = _rendered(found.upgrade_ops), _rendered(found.downgrade_ops)
            new, old, tables = _changed_checks(conn)
            up, indexes = _without_indexes(up, tables)
            up, down = "\n".join(filter(None, (up, new, indexes))), f"{old}\n{down}".strip("\n")
    path = VERSIONS / f"{name}.py"
    path.write_text(TEMPLATE.format(summary=summary, revision=revision, before=repr(before), up=up, down=down))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)
    print(path.name)


def _changed_checks(conn: Connection) -> tuple[str, str, set[str]]:
    """Code that gives existing tables the CHECK constraints of the tables here, code that takes them back, and which tables."""
    up, down, tables = [], [], set()
    inspector = inspect(conn)
    for table in metadata.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        before = {
            str(check["name"]): _one_line(check["sqltext"]) for check in inspector.get_check_constraints(table.name)
        }
        checks = [constraint for constraint in table.constraints if isinstance(constraint, CheckConstraint)]
        for name, text in sorted((str(check.name), _one_line(str(check.sqltext))) for check in checks):
            if name in before and before[name] != text:
                up.append(_check_changed(table.name, name, text))
                down.append(_check_changed(table.name, name, before[name]))
                tables.add(table.name)
    return "\n".join(up), "\n".join(down), tables


def _without_indexes(code: str, tables: set[str]) -> tuple[str, str]:
    """The code without the indexes it makes on these tables, and those: made last, they are the ones SQLite looks at first."""
    late = re.compile(rf"    op\.create_index\('\w+', '({'|'.join(tables)})',") if tables else None
    lines = code.splitlines()
    later = [line for line in lines if late is not None and late.match(line)]
    return "\n".join(line for line in lines if line not in later), "\n".join(later)


def _check_changed(table: str, name: str, text: str) -> str:
    """In a batch, because SQLite has to make the table anew."""
    first, *others = text.split(" AND ")
    parts = " ".join(repr(part) for part in (first, *(f" AND {other}" for other in others)))
    return (
        f"    with op.batch_alter_table({table!r}) as batch:\n"
        f"        batch.drop_constraint({name!r}, type_='check')\n"
        f"        batch.create_check_constraint({name!r}, {parts})"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _rendered(operations: UpgradeOps | DowngradeOps) -> str:
    code = re.sub(r"largesse\.kernel\.database\.columns\.JsonText\(\)", "sa.Text()", render_python_code(operations))
    return (
        "\n".join(f"    {line.strip()}" for line in code.splitlines() if not line.strip().startswith("#")) or "    pass"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
