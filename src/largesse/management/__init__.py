"""The management API: what a project is set to, with keys that are of no project."""
