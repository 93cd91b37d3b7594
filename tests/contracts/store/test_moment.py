"""What a job is made ready from is asked for once, and is of one moment."""

from __future__ import annotations

from provisor.model.jobs import Application
from provisor.ports import Registry
from provisor.store.moment import moment_of, vault_of_moment
from tests.contracts.store.building import job

APPLICATION = Application(
    id="app", app_id="a", principal_id="p", name="app", display_name="App", template_id="scim"
)
JOB = job()


class Counting:
    """Tells what it is asked, and answers as ever."""

    def __init__(self, inner: object) -> None:
        self._inner = inner
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        return getattr(self._inner, name)


async def test_a_moment_stays_what_it_was(store: Registry) -> None:
    await store.put_document("app", "known", b"then")
    moment = await moment_of(store, JOB, APPLICATION, [("app", "known"), ("app", "none")])
    await store.put_document("app", "known", b"now")
    await store.put_document("app", "none", b"now")

    assert await moment.document("app", "known") == b"then"
    assert await moment.document("app", "none") is None
    assert await moment.job(JOB.id) is JOB
    assert await moment.find_application(JOB.application_id) is APPLICATION


async def test_what_was_not_foreseen_is_asked_for_once(store: Registry) -> None:
    await store.put_document("app", "other", b"then")
    counting = Counting(store)
    moment = await moment_of(counting, JOB, None, [])  # pyright: ignore[reportArgumentType]
    for _ in range(3):
        assert await moment.document("app", "other") == b"then"
        assert await moment.find_application("p") is None
        assert await moment.find_application(JOB.application_id) is None
    assert counting.asked == ["documents", "document", "find_application"]


async def test_what_is_written_goes_to_the_store(store: Registry) -> None:
    moment = await moment_of(store, JOB, None, [])
    await moment.put_document("app", "new", b"written")
    assert await store.document("app", "new") == b"written"


async def test_a_vault_is_asked_once_whose_secrets_there_are() -> None:
    class Vault:
        async def names(self, owner: str) -> list[str]:
            return [f"of {owner}"]

        async def get(self, owner: str, name: str) -> str:
            return f"{owner} {name}"

    counting = Counting(Vault())
    vault = vault_of_moment(counting)  # pyright: ignore[reportArgumentType]
    for _ in range(2):
        assert await vault.names("a") == ["of a"]
    assert await vault.names("b") == ["of b"]
    assert await vault.get("a", "x") == "a x"
    assert counting.asked == ["names", "names", "get"]
