"""The seeded simulation: production workers against a model broker and a store that can fail.

One seed is one run, on virtual time: `python -m tests.simulation SEED COUNT`. `world` is the way in.
"""
