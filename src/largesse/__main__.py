"""`python -m largesse` is `largesse`."""

from largesse.cli import main

main()
