"""Async actions: background jobs as the API shows them."""
