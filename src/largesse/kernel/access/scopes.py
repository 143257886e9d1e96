"""OAuth scopes: which of them opens which path."""

SERVER_SCOPES = frozenset(
    [
        "assets",
        "async-actions",
        "campaigns",
        "categories",
        "consents",
        "customers",
        "events",
        "exports",
        "locations",
        "loyalties",
        "metadata-schemas",
        "orders",
        "product-collections",
        "products",
        "promotions",
        "publications",
        "qualifications",
        "redemptions",
        "referrals",
        "rewards",
        "segments",
        "skus",
        "task-results",
        "templates",
        "trash-bin",
        "validation-rules",
        "validation-rules-assignments",
        "validations",
        "vouchers",
    ]
)
CLIENT_SCOPES = frozenset(
    [
        "client_consents",
        "client_customers",
        "client_events",
        "client_promotions",
        "client_publish",
        "client_qualifications",
        "client_redeem",
        "client_redemptions",
        "client_validate",
        "client_validations",
        "client_vouchers",
    ]
)
WHOLE = {"server": "api", "client": "client_api"}
ALL_SCOPES = SERVER_SCOPES | CLIENT_SCOPES | frozenset(WHOLE.values())


def opens(scopes: frozenset[str], surface: str, path: str) -> bool:
    """True where one of `scopes` covers `path`: its whole surface, or the first word below `/v1/`."""
    if WHOLE.get(surface) in scopes:
        return True
    parts = path.strip("/").split("/")
    word = parts[2] if surface == "client" and len(parts) > 2 else parts[1] if len(parts) > 1 else ""
    return (f"client_{word}" if surface == "client" else word) in scopes
