"""Engines that others have published, fed with the same people and driving the same stub.

They are no part of the product's environment: each is installed into one of its own, outside the
checkout, the first time that it is asked for.
"""
