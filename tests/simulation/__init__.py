"""The seeded simulation: production workers, a model broker, a store that can fail.

One seed is one run, on virtual time: `python -m tests.simulation SEED COUNT`. Begin at `world`.
"""
