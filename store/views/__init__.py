"""Looking: read-only questions in a fixed number of statements, answered in the shapes people get.

None of them takes a lock. Each wants a transaction of `Database.read`, which sees one state of
everything. Dates are derived by the very functions that decide (handlers.rules.promises).
"""
