"""`make upgrade`: earlier versions make stores and work on them, and this one goes on.

It needs the repository's history and a package index, and takes minutes; what earlier versions have
written is read in each run of the tests, too (`tests/contracts/store`).
"""
