"""Every target of the tree keeps what the engine relies on."""

from provisor.testing.targets import *  # noqa: F403
