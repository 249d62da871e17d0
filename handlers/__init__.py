"""What happens: the pure core. No I/O, no clock, no randomness, no logging.

`batch.decide(state, events, rules, now)` is the one entrance; everything it returns is a value.
"""
