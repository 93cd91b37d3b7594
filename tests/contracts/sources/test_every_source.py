"""Every source of the tree keeps what every source promises."""

from provisor.testing.sources import *  # noqa: F403
