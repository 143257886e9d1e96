"""OAuth 2.0 client credentials: short-lived bearer tokens for a key pair."""
