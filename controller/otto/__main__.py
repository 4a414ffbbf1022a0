"""`python -m otto` is the command `otto`."""

from otto.cli.main import main

main()
