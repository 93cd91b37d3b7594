"""Stores as each version of Provisor wrote them: what it wrote, every later one must read.

`python -m tests.contracts.store.versions` saves the present version; do so when it is released.
"""
