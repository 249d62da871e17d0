"""The rows of the working copy: plain, mutable, changed in place by the handlers.

Each carries `loaded`, the values it was read with (None: the row is new), so that the store writes
exactly what changed. Quantities are whole units, times UTC. Copies would cost ten times as much;
purity is at the boundary of `decide`.
"""
