"""The database: what is known, locked, loaded and written. Knows handlers' types, no broker.

`transaction.Database` is the way in; `load.load` and `save.save` are the two halves of a batch.
"""
