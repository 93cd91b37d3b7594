"""Whoever has a superior under way waits for that one, and for nobody else."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from provisor.engine.order import UnderWay
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor
from provisor.model.rules import MappingName

ADA, BEN, CYD = (StandingKey(MappingName("people"), Anchor(name)) for name in ("ada", "ben", "cyd"))


def test_reports_wait_until_their_superior_is_through_and_others_do_not() -> None:
    async def story() -> None:
        under_way, told = UnderWay(), list[str]()
        ada_is_answered = asyncio.Event()

        async def carry(key: StandingKey, above: StandingKey | None) -> None:
            with under_way.enter(key):
                await under_way.until_through(above)
                told.append(f"{key.anchor} begins")
                if key is ADA:
                    await ada_is_answered.wait()
                told.append(f"{key.anchor} is through")

        async with asyncio.TaskGroup() as group:
            for key, above in (
                (ADA, CYD),
                (BEN, ADA),
                (CYD, None),
            ):  # whoever comes later waits not
                group.create_task(carry(key, above))
            group.create_task(asyncio.sleep(0)).add_done_callback(lambda _: ada_is_answered.set())
        assert told == [
            "ada begins",
            "cyd begins",
            "cyd is through",
            "ada is through",
            "ben begins",
            "ben is through",
        ]

    asyncio.run(story())


def test_a_superior_who_failed_is_through_too() -> None:
    async def story() -> None:
        under_way, waiting = UnderWay(), list[asyncio.Task[None]]()
        with suppress(ConnectionError), under_way.enter(ADA):
            waiting.append(asyncio.create_task(under_way.until_through(ADA)))
            await asyncio.sleep(0)
            raise ConnectionError
        await asyncio.gather(*waiting)
        await under_way.until_through(ADA)

    asyncio.run(story())
