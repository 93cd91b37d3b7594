"""What every source of Provisor promises."""

from provisor.testing.sources import *  # noqa: F403
