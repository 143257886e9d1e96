"""Exports: rows of other rooms as CSV files, written in the background and downloaded by an address nobody can guess."""
