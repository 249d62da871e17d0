"""The rule book as a plain program: the reference the real core is compared with.

One event at a time, everything in memory, everything asked anew of all rows whenever it is needed.
Nothing is shared with `handlers` or `store`; start reading at `model`.
"""
