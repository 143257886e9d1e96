"""Products and SKUs: what lines of an order refer to, and what it costs when the line does not say."""
