"""The trash bin: what was deleted without force, its names still taken."""
