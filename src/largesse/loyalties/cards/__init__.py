"""The cards of members: their balance, transfers, pending points, expirations, transactions and activity."""
