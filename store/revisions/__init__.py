"""The history of the tables, one file a step; `store.migrations` walks it."""
