"""Issuing, looking at and revoking tokens. Lifetime 900 s, no refresh (documented)."""

from typing import Any

from largesse.kernel.access import keys
from largesse.kernel.access.scopes import ALL_SCOPES
from largesse.kernel.clock import SECOND
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid


def issue(unit: Unit, form: dict[str, str]) -> dict[str, Any]:
    """Raises ApiError 400 `invalid_grant_type`, `invalid_scope`, `oauth_tokens_limit_exceeded`."""
    grant = form.get("grant_type", "")
    if grant != "client_credentials":
        raise invalid("invalid_grant_type", f"Invalid grant type: {grant}; use client_credentials")
    text = form.get("scope", "")
    scopes = text.split(" ") if text else []
    if not scopes or any(scope not in ALL_SCOPES for scope in scopes):
        raise invalid("invalid_scope", f"Invalid scope: {text}")
    issued = keys.issue_token(unit.conn, unit.project_id, unit.call.caller.key_id, scopes, unit.now)
    if issued is None:
        details = f"A project has at most {keys.MAX_LIVE_TOKENS} live tokens; revoke some or wait until they expire"
        raise invalid("oauth_tokens_limit_exceeded", "OAuth tokens limit exceeded", details)
    secret, token = issued
    return _shown(token, unit.now) | {"access_token": secret}


def introspect(unit: Unit, form: dict[str, str]) -> dict[str, Any]:
    """The token's state; exactly `{"active": false}` for one that is not live."""
    secret = form.get("access_token")
    if not secret:
        raise invalid("missing_parameters", "Missing parameters", "Form field access_token is required")
    token = keys.find_token(unit.conn, secret)
    if token is None or token.project_id != unit.project_id or not token.is_live(unit.now):
        return {"active": False}
    return _shown(token, unit.now) | {"access_token": secret, "active": True}


def revoke(unit: Unit, form: dict[str, str]) -> bool:
    """True when a live token of this project was revoked."""
    token = keys.find_token(unit.conn, form.get("access_token", ""))
    if token is None or token.project_id != unit.project_id or not token.is_live(unit.now):
        return False
    keys.revoke_token(unit.conn, token, unit.now)
    return True


def _shown(token: keys.OAuthToken, now: int) -> dict[str, Any]:
    return {
        "client_id": token.client_id,
        "expires_at": token.expires_at // SECOND,
        "expires_in": max(0, (token.expires_at - now) // SECOND),
        "scope": " ".join(token.scopes),
        "token_type": "Bearer",
    }
