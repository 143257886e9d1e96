"""Orders: what was bought, by whom, and which redemptions acted on it."""
