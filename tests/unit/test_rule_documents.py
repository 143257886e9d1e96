"""Whatever is sent as a validation rule, it is a rule or a clean refusal."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from largesse.kernel import wire
from largesse.kernel.errors import ApiError
from largesse.validation_rules.definition import bundle_of, checked_applicable_to, checked_bundle, checked_rules

_WORDS = st.sampled_from(
    [
        "1",
        "2",
        "logic",
        "limit",
        "name",
        "conditions",
        "rules",
        "$is",
        "object",
        "id",
        "source_id",
        "type",
        "product",
        "sku",
        "products_collection",
        "included",
        "excluded",
        "included_all",
        "order.items.any",
        "order.items.aggregated_quantity",
        "error",
        "message",
        "price",
        "price_formula",
        "quantity_limit",
        "repeat",
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _WORDS
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)
_DOCUMENTS = st.dictionaries(_WORDS | st.text(max_size=4), _JSON, max_size=5)
_COUNTS = st.builds(
    lambda count, name: {"1": {"name": name, "conditions": {"$is": count}}},
    _JSON,
    st.just("order.items.aggregated_quantity") | _SCALARS,
)
_COMPONENTS = st.builds(
    lambda members, rules, more: {"name": "order.items.any", "conditions": {"$is": members}, "rules": rules, **more},
    st.lists(st.builds(lambda id, kind: {"id": id, "object": kind}, _SCALARS, _WORDS), max_size=2) | _JSON,
    _COUNTS | _JSON,
    st.dictionaries(st.sampled_from(["error", "property"]), _JSON),
)


def _refusal_is_clean(check: Any, sent: dict[str, Any]) -> Any:
    try:
        return check(wire.without_nulls(sent))
    except ApiError as error:
        refusal = error.refusal
    assert refusal.code == 400
    assert refusal.key in ("invalid_validation_rules", "invalid_payload")
    return None


@given(_DOCUMENTS)
def test_any_document_is_conditions_or_refused(sent: dict[str, Any]) -> None:
    _refusal_is_clean(checked_rules, sent)


@given(_DOCUMENTS | st.dictionaries(st.sampled_from(["1", "2", "logic", "limit"]), _COMPONENTS | _SCALARS))
def test_any_document_is_a_bundle_that_can_be_read_or_refused(sent: dict[str, Any]) -> None:
    shown = _refusal_is_clean(checked_bundle, sent)
    if shown:
        bundle = bundle_of(shown)
        assert bundle is not None
        assert 1 <= bundle.limit <= 100
        assert all(component.quantity >= 1 for component in bundle.components)


@given(_DOCUMENTS | st.fixed_dictionaries({"included": st.lists(_DOCUMENTS, max_size=2)}))
def test_any_document_says_what_it_applies_to_or_is_refused(sent: dict[str, Any]) -> None:
    _refusal_is_clean(checked_applicable_to, sent)
