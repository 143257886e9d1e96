"""The description of the API: made from every route that is served."""

from largesse.app import ROUTES
from largesse.kernel.http.docs import describe


def test_every_operation_is_described_with_its_schemas() -> None:
    found = describe(ROUTES, "https://shop.example")
    described = {(path, method) for path, operations in found["paths"].items() for method in operations}
    assert len(described) >= len([handler for handler in ROUTES if "summary" in handler.opt])
    added = found["paths"]["/v1/campaigns/{campaign_id}/vouchers"]["post"]["responses"]["200"]
    alternatives = added["content"]["application/json"]["schema"]["anyOf"]
    assert {one["$ref"].rpartition("/")[2] for one in alternatives} == {"VoucherAnswer", "Accepted"}
    members = found["components"]["schemas"]["MemberList"]["properties"]["data"]["items"]
    assert members["discriminator"]["propertyName"] == "object"
