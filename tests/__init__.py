"""The tests. A package so that no installed `tests` can hide it; its folders need no `__init__.py`."""
