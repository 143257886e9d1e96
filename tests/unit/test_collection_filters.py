"""Filters of product collections: whatever is sent is a filter or a clean refusal, and what is stored can be read again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from largesse.engine.collections import FIELDS
from largesse.kernel import wire
from largesse.kernel.errors import ApiError
from largesse.product_collections.definition import checked_filter, compiled

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
operators = st.sampled_from(["$is", "$in", "$more_than", "$after", "$is_days_ago", "$count", "$nothing"])
nodes = documents | st.fixed_dictionaries({"conditions": st.dictionaries(operators, documents, max_size=2)})
fields = st.sampled_from([*FIELDS, "metadata.a", "metadata", "colour"])
junctions = st.sampled_from(["and", "OR", "nor"]) | documents
filters = st.dictionaries(fields, nodes, max_size=3).flatmap(
    lambda found: junctions.map(lambda junction: {**found, "junction": junction})
)


@given(filters | documents)
def test_a_filter_is_taken_whole_or_refused(sent: Any) -> None:
    try:
        shown = checked_filter(sent)
    except ApiError:
        return
    stored = wire.decode_stored(wire.encode_text(shown), dict)
    assert checked_filter(stored) == stored
    assert compiled(stored).fields == shown.keys() - {"junction"}
