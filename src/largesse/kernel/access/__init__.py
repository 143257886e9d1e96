"""Who may ask: projects, key pairs, tokens."""
