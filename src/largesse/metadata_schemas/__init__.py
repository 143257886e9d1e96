"""Metadata schemas: what merchants say the metadata of their objects has to look like."""
