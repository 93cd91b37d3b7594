"""What a package that brings a connector tests it with; nothing else of Provisor imports this.

- `plugin`: what pytest is to load (`-p provisor.testing.plugin`)
- `sources`: what every source promises, with `organisation` (what it is to show) and `reading`
- `targets`: what every target promises, with `world` (what the suite needs of one)
- `naming`: for sources whose system gives the ids

pytest is the package's own to install: Provisor needs it for tests only.
"""
