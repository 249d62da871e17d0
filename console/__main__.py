"""`python -m console`: the same as `backship`."""

from console.main import main

main()
