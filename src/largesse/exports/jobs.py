"""How the file of an export comes about: a part for each slice, in the transaction that says how far it came."""

from collections.abc import Mapping

from largesse.exports import store
from largesse.exports.asking import conditions
from largesse.exports.lines import METADATA, header, lines
from largesse.kernel.database.unit import Unit
from largesse.kernel.exporting import Place, Source, read
from largesse.kernel.jobs.model import Chore, Done, Job, Kind, Progress
from largesse.kernel.jobs.queue import INTERNAL
from largesse.metadata_schemas.service import schemas_of

EXPORT = f"{INTERNAL}EXPORT"


def kinds(sources: Mapping[str, Source]) -> dict[str, Kind]:
    """The jobs of this room; `sources` are what can be exported, under the API's names."""

    def write(unit: Unit, job: Job) -> Progress | Done:
        export = store.by_id(unit.conn, unit.project_id, job.arguments["export_id"], lock=True)
        if export is None:  # deleted meanwhile
            return Done(result={"done_count": job.done})
        source, state = sources[export.exported_object], job.state
        columns: list[str] = state.get("columns") or _columns(unit, source, export.parameters.get("fields"))
        rows, place = read(
            unit,
            source,
            conditions(unit, source, export.parameters.get("filters", {}), job.arguments["scope"]),
            export.parameters.get("order") or source.default_order,
            until=export.created_at,
            after=Place(state["value"], state["id"]) if "id" in state else None,
            limit=job.batch,
        )
        fields = frozenset(METADATA if column.startswith(f"{METADATA}.") else column for column in columns)
        text = lines(columns, source.values(unit, rows, fields, job.arguments["base_url"]))
        if "columns" not in state:
            text = header(columns) + text
        size = len(text.encode())
        if text:
            store.add_part(unit.conn, unit.project_id, export.id, state.get("number", 0), text)
        if place is None:
            store.change(unit.conn, unit.project_id, export.id, status="DONE", size=size)
            return Done(result={"done_count": job.done})
        store.change(unit.conn, unit.project_id, export.id, status="IN_PROGRESS", size=size)
        left = {"columns": columns, "number": state.get("number", 0) + 1, "value": place.value, "id": place.id}
        return Progress(state=left, done=job.done + len(rows))

    def given_up(unit: Unit, job: Job, _message: str) -> None:
        store.change(unit.conn, unit.project_id, job.arguments["export_id"], status="ERROR")

    return {EXPORT: Kind(write, given_up)}


def _columns(unit: Unit, source: Source, asked: list[str] | None) -> list[str]:
    """The columns of a file: `metadata` becomes one for each key of its schema, and stays whole where there is none."""
    found: dict[str, None] = {}
    for field in asked or source.default_fields:
        keys = schemas_of(unit).types(source.schema) if field == METADATA and source.schema is not None else {}
        found |= dict.fromkeys([f"{METADATA}.{key}" for key in keys] or [field])
    return list(found)


def _drop_ended(unit: Unit, most: int) -> int:
    return store.drop_ended(unit.conn, unit.project_id, unit.now, most)


ENDED = Chore(name="EXPORTS.ENDED", due=store.projects_with_ended, step=_drop_ended)
