"""`backship audit`: every stored counter derived again, every difference named (L4, domain.md §8).

Nothing is changed, no lock is taken, and memory is bounded by one sku: rows are read as they come.
"""
