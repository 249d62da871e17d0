"""Everything that differs by engine: how to connect, how rows are handed in, how they are kept."""
