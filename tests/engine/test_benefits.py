"""What a rule set says of a benefit."""

from largesse.engine.benefits import ApplicableTo, ItemEntry

MUG = ItemEntry(object="product", id="prod_mug")


def test_items_are_defined_by_any_of_the_three_ways_to_name_them() -> None:
    assert not ApplicableTo().is_defined
    assert ApplicableTo(included=(MUG,)).is_defined
    assert ApplicableTo(excluded=(MUG,)).is_defined
    assert ApplicableTo(included_all=True).is_defined
