"""Metadata schemas, custom events, locations and list filters through the official SDK."""

import json
from typing import Any

import pytest
import voucherify

from tests.api.shop import amount, name, ok
from tests.servers import Server, run


@pytest.fixture(scope="module")
def sdk(server: Server) -> Any:
    return server.sdk()


@pytest.fixture(scope="module")
def management(server: Server) -> Any:
    keys = json.loads(run("keys", "create", "--management", "--json", store=server.store).stdout)
    secrets = {"X-Management-Id": keys["management_id"], "X-Management-Token": keys["management_token"]}
    configuration = voucherify.Configuration(host=server.base_url, api_key=secrets)
    return voucherify.ManagementApi(voucherify.ApiClient(configuration))


def test_schemas_are_managed_and_read(server: Server, sdk: Any, management: Any) -> None:
    body = voucherify.ManagementProjectsMetadataSchemasCreateRequestBody.from_dict(
        {"related_object": "voucher", "properties": {"size": {"type": "number", "gte": 1, "optional": True}}}
    )
    made = management.create_metadata_schema(server.keys["project_id"], body)
    assert (made.related_object, made.properties["size"]["type"]) == ("voucher", "number")
    schemas = voucherify.MetadataSchemasApi(sdk)
    assert [one.related_object for one in schemas.list_metadata_schemas().schemas] == ["voucher"]
    assert schemas.get_metadata_schema("voucher").id == made.id
    with pytest.raises(voucherify.exceptions.BadRequestException) as refused:
        voucherify.VouchersApi(sdk).generate_random_code(
            voucherify.VouchersCreateRequestBody.from_dict(
                {"type": "DISCOUNT_VOUCHER", "discount": amount(1), "metadata": {"size": "big"}}
            )
        )
    assert "metadata_validation_failed" in str(refused.value.body)
    change = voucherify.ManagementProjectsMetadataSchemasUpdateRequestBody.from_dict({"allow_defined_only": True})
    assert management.update_metadata_schema(server.keys["project_id"], made.id, change).allow_defined_only
    management.delete_metadata_schema(server.keys["project_id"], made.id)
    assert schemas.list_metadata_schemas().schemas == []


def test_events_are_defined_and_tracked(server: Server, sdk: Any, management: Any) -> None:
    body = voucherify.ManagementProjectsCustomEventSchemasCreateRequestBody.from_dict(
        {"name": "page_view", "schema": {"properties": {"page": {"type": "string", "optional": True}}}}
    )
    made = management.create_custom_event_schema(server.keys["project_id"], body)
    assert made.object == "custom-event-schema"
    source_id = name()
    tracked = voucherify.EventsApi(sdk).track_custom_event(
        voucherify.EventsCreateRequestBody.from_dict(
            {"event": "page_view", "customer": {"source_id": source_id}, "metadata": {"page": "/"}}
        )
    )
    assert (tracked.object, tracked.type, tracked.customer.source_id) == ("event", "page_view", source_id)
    activity = voucherify.CustomersApi(sdk).list_customer_activity(source_id, type="customer.custom_event")
    assert [one.type for one in activity.data] == ["customer.custom_event"]
    listed = management.list_custom_event_schemas(server.keys["project_id"])
    assert [one.name for one in listed.data] == ["page_view"]


def test_locations_are_read(server: Server, sdk: Any) -> None:
    circle = {"type": "circle", "format": "distance", "distance": {"center": "geo:1,1", "radius": "1 km"}}
    made = ok(server.client.post("/largesse/v1/locations", json={"name": "Port", "shape": circle}))
    locations = voucherify.LocationsApi(sdk)
    assert locations.get_location(made["id"]).name == "Port"
    filters = voucherify.ParameterFiltersListLocations.from_dict({"name": {"conditions": {"$is": "Port"}}})
    assert [one.id for one in locations.list_locations(filters=filters).data] == [made["id"]]
    filters = voucherify.ParameterFiltersListLocations.from_dict({"name": {"conditions": {"$is": "Harbour"}}})
    assert locations.list_locations(filters=filters).data == []


def test_filters_of_campaigns_and_redemptions_as_the_sdk_writes_them(server: Server, sdk: Any) -> None:
    campaigns = voucherify.CampaignsApi(sdk)
    wanted = name("Campaign")
    for called in (wanted, name("Campaign")):
        sent = {"name": called, "campaign_type": "DISCOUNT_COUPONS"}
        voucher = {"type": "DISCOUNT_VOUCHER", "discount": amount(1)}
        ok(server.client.post("/v1/campaigns", json=sent | {"voucher": voucher}))
    for conditions in ({"$in": [wanted, 'it\'s "no" name']}, {"$is": wanted}, {"$ends_with": wanted, "$has_value": ""}):
        filters = voucherify.ParameterFiltersListCampaigns.from_dict({"campaigns": {"conditions": conditions}})
        assert [one.name for one in campaigns.list_campaigns(filters=filters).campaigns] == [wanted]
    filters = voucherify.ParameterFiltersListRedemptions.from_dict(
        {"junction": "or", "result": {"conditions": {"$is": "SUCCESS"}}}
    )
    before = voucherify.ParameterCreatedBeforeAfter.from_dict({"before": "2030-01-01T00:00:00Z"})
    redemptions = voucherify.RedemptionsApi(sdk)
    assert redemptions.list_redemptions(filters=filters, created_at=before).redemptions == []
