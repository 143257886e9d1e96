"""Lines of CSV files: what stands in a cell."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from largesse.kernel import wire

METADATA = "metadata"
_ACRONYMS = {"id": "ID", "qr": "QR", "url": "URL", "sku": "SKU"}
# A spreadsheet would take these for formulas. Numbers and telephone numbers are none, whatever they begin with.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().-]*\Z)")


def heading(column: str) -> str:
    """Title case with acronyms kept (documented); a key of metadata as it is, as imports take it (our decision)."""
    if column.startswith(f"{METADATA}."):
        return _cell(column.removeprefix(f"{METADATA}."))
    return " ".join(_ACRONYMS.get(word, word.capitalize()) for word in column.split("_") if word)


def lines(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """A line for each row, ended by a line feed."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(_value(row, column)) for column in columns] for row in rows)
    return out.getvalue()


def header(columns: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([heading(column) for column in columns])
    return out.getvalue()


def _value(row: dict[str, Any], column: str) -> Any:
    if column.startswith(f"{METADATA}."):
        return (row[METADATA] or {}).get(column.removeprefix(f"{METADATA}."))
    return row[column]


def _cell(value: Any) -> str:
    """Empty for null, lists with commas, objects as JSON; a text that would be a formula is led by an apostrophe (our decision)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = ",".join(_plain(one) for one in value)
    elif isinstance(value, dict):
        value = wire.encode_text(value)
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if _FORMULA.match(value) else value


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else wire.encode_text(value)
