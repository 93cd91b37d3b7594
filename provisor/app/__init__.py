"""The composition root: the only room that knows every part, the real clock and real chance.

`workspace` opens it all; `rooms` is one store as each tenant sees it; `composer` makes jobs ready,
from `connections` and `mandates`; `views` tells of them; `serving` and `telling` keep a server
going; `checks` is what needs no workspace; `glimpse` looks into one without opening it; `machine`
is the real time and chance.
"""
