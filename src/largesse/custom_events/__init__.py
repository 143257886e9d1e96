"""Custom events: what a merchant's own applications tell of a customer, by names that the merchant defines."""
