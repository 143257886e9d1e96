"""The one family of errors: a `Refusal` value, raised as `ApiError`, shaped once at the edge."""

from largesse.engine.refusal import Refusal


class ApiError(Exception):
    """A request was refused; carries what the answer says. Nothing was written, unless a failure record is part of the rule."""

    def __init__(self, refusal: Refusal, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{refusal.key}: {refusal.details or refusal.message}")
        self.refusal = refusal
        self.headers = headers or {}


class ClientDisconnected(Exception):
    """The client closed the connection before its request was whole; nobody is left to answer."""


def invalid_payload(details: str) -> ApiError:
    return ApiError(Refusal(code=400, key="invalid_payload", message="Invalid payload", details=details))


def invalid_query(details: str) -> ApiError:
    return ApiError(Refusal(code=400, key="invalid_query_params", message="Invalid query params", details=details))


def not_found(resource_type: str, resource_id: str, how: str = "") -> ApiError:
    """404 for one object; `resource_type` is the API's word for its kind, `how` a tail of the details that says what to do."""
    return ApiError(
        Refusal(
            code=404,
            key="not_found",
            message="Resource not found",
            details=f"Cannot find {resource_type} with id {resource_id}{how}",
            resource_id=resource_id,
            resource_type=resource_type,
        )
    )


def duplicate_found(resource_type: str, resource_id: str) -> ApiError:
    return ApiError(
        Refusal(
            code=409,
            key="duplicate_found",
            message="Duplicated resource found",
            details=f"Duplicated {resource_type} exists with id {resource_id}",
            resource_id=resource_id,
            resource_type=resource_type,
        )
    )


def duplicate_name(resource_type: str, name: str) -> ApiError:
    """409 where names are unique: a resource of this name exists."""
    refusal = Refusal(
        code=409,
        key="duplicate_found",
        message="Duplicated resource found",
        details=f"Duplicated {resource_type} exists with name {name}",
        resource_id=name,
        resource_type=resource_type,
    )
    return ApiError(refusal)


def resource_in_use(
    resource_type: str, resource_id: str, related_type: str, related_ids: list[str], how: str = ""
) -> ApiError:
    """400 for a deletion that others stand against: `related_ids` of `related_type`; `how` says what the caller can do."""
    many = related_type if related_type.endswith("s") else f"{related_type}s"  # observed
    ids = f" with ids [{', '.join(related_ids)}]" if related_ids else ""
    details = f"Resource {resource_type} with id {resource_id} is in use by {many}{ids}{how}"
    refusal = Refusal(
        code=400,
        key="resource_in_use",
        message="Resource in use",
        details=details,
        resource_id=resource_id,
        resource_type=resource_type,
        related_object_ids=related_ids or None,
        related_object_type=related_type,
    )
    return ApiError(refusal)


def invalid(key: str, message: str, details: str | None = None) -> ApiError:
    """A 400 of the catalogue that concerns a whole request, such as `invalid_voucher`."""
    return ApiError(Refusal(code=400, key=key, message=message, details=details))


def route_not_found(method: str, path: str) -> ApiError:
    return ApiError(
        Refusal(
            code=404, key="not_found", message="Resource not found", details=f"No operation answers {method} {path}"
        )
    )


def method_not_allowed(allowed: list[str]) -> ApiError:
    names = ", ".join(sorted(allowed))
    refusal = Refusal(
        code=405, key="method_not_allowed", message="HTTP Method Not Allowed", details=f"This path accepts {names}"
    )
    return ApiError(refusal, {"Allow": names})


def unauthorized() -> ApiError:
    return ApiError(Refusal(code=401, key="unauthorized", message="Unauthorized"))


def forbidden(details: str) -> ApiError:
    return ApiError(Refusal(code=403, key="forbidden", message="Forbidden", details=details))


def missing_permission(details: str) -> ApiError:
    return ApiError(Refusal(code=403, key="missing_required_permission", message="Missing permission", details=details))


def multiple_requests() -> ApiError:
    details = "Another request is changing the same object; repeat this one when it has been answered."
    return ApiError(Refusal(code=400, key="multiple_requests", message="Multiple requests", details=details))


def overloaded(retry_after_seconds: int = 1) -> ApiError:
    """503 with `Retry-After`: nothing was done, the same request may be sent again."""
    refusal = Refusal(
        code=503,
        key="overloaded",
        message="Service overloaded",
        details="More work is waiting than can be answered in time. Nothing was done; repeat the request shortly.",
    )
    return ApiError(refusal, {"Retry-After": str(retry_after_seconds)})


def store_unavailable(retry_after_seconds: int = 1) -> ApiError:
    """503 with `Retry-After`: the store is away; nothing was done, the same request may be sent again."""
    refusal = Refusal(
        code=503,
        key="service_unavailable",
        message="Service unavailable",
        details="The store cannot be reached or takes no work. Nothing was done; repeat the request shortly.",
    )
    return ApiError(refusal, {"Retry-After": str(retry_after_seconds)})


def outcome_unknown() -> ApiError:
    """503 without `Retry-After`: the store went away for good while it recorded the request."""
    details = (
        "The store went away while it recorded this request. Look whether it was done before you repeat it. "
        "With an Idempotency-Key it may be repeated under the same key: what was done is not done again."
    )
    return ApiError(Refusal(code=503, key="outcome_unknown", message="Outcome unknown", details=details))
