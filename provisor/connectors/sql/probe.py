"""Looking at a database for whoever sets a job up: the catalogue, the rights, what can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, exc, func, insert, select, update

from provisor.connectors.sql.catalogue import Catalogue, Column, NotInCatalogue, Table
from provisor.connectors.sql.database import Database
from provisor.connectors.sql.failures import (
    FORBIDDEN,
    INCOMPLETE,
    NO_PERMISSIONS,
    code_of,
    words_of,
)
from provisor.connectors.sql.marks import is_numbered
from provisor.connectors.sql.rows import Plan
from provisor.connectors.sql.settings import OVERLAP, KindSettings, SqlSettings
from provisor.errors import AdapterError, Denied, Unreachable
from provisor.model.directories import (
    DirectoryDefinition,
    Finding,
    ObjectDefinition,
    ProbeReport,
    Topic,
    fine,
    report,
    warning,
    wrong,
)
from provisor.model.entries import System
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability

Planner = Callable[[KindSettings, Catalogue], Plan]
NAMES = "Correct the name in the settings; names are as the catalogue has them, letter by letter."


class SqlProber:
    """Implements `ports.Prober` for one side of a connection to a database."""

    def __init__(
        self,
        settings: SqlSettings,
        system: System,
        planner: Planner,
        *,
        is_target: bool,
        mapped: Mapping[str, frozenset[str]],
    ) -> None:
        """`mapped` names, by kind, the attributes that the rules read or write."""
        self._settings, self._system, self._planner = settings, system, planner
        self._is_target, self._mapped = is_target, mapped
        self._database = Database(settings.address, writes=is_target, connections_max=1)

    async def probe(self) -> ProbeReport:
        try:
            found = await self._database.do(lambda connection: list(self._look(connection)))
        except Denied as error:
            reached = fine(
                Topic.CONNECTION, "Reached", f"There is a server at {self._settings.address.place}."
            )
            remedy = "Correct the account in `url`, and `password`; let the account log in."
            refusal = wrong(Topic.CREDENTIALS, error.code, f"{error}.", remedy)
            return report(self._system, [reached, refusal])
        except AdapterError as error:
            remedy = "Correct `url`, start the server, or let this machine reach it."
            return report(self._system, [wrong(Topic.CONNECTION, error.code, f"{error}.", remedy)])
        return report(self._system, found)

    def _look(self, connection: Connection) -> Iterator[Finding]:
        yield from self._server(connection)
        catalogue = Catalogue(connection)
        plans: list[Plan] = []
        for settings in self._settings.kinds.values():
            try:
                plans.append(self._planner(settings, catalogue))
            except NotInCatalogue as error:
                yield wrong(Topic.OBJECTS, INCOMPLETE, f"{settings.kind}: {error}.", NAMES)
            except exc.SQLAlchemyError as error:
                yield self._unreadable(settings.relation.label, error)
        for plan in plans:
            yield from self._objects(connection, plan)
            yield from (
                self._writing(connection, plan)
                if self._is_target
                else self._changes(connection, plan)
            )
        yield from self._conduct(connection)

    def _server(self, connection: Connection) -> Iterator[Finding]:
        address = self._settings.address
        version = ".".join(map(str, connection.dialect.server_version_info or ()))
        name = "MariaDB" if getattr(connection.dialect, "is_mariadb", False) else address.dialect
        yield fine(Topic.CONNECTION, "Reached", f"{name} {version} answers at {address.place}.")
        if address.account:
            yield fine(
                Topic.CREDENTIALS,
                "CredentialsAccepted",
                f"The account {address.account} may log in.",
            )
        if address.tls == "off" and not address.is_sqlite and address.url.host not in (
            None, "localhost", "127.0.0.1", "::1",
        ):  # fmt: skip
            yield warning(
                Topic.CONNECTION,
                "NotEncrypted",
                "What is read and written can be seen by everybody on the way.",
                "Leave `tls` out of the settings, so that certificates are verified.",
            )
        elif address.tls != "off":
            yield fine(Topic.CONNECTION, "Encrypted", "The connection is encrypted.")

    def _unreadable(self, label: str, error: exc.SQLAlchemyError) -> Finding:
        words = f"{label} cannot be read: {words_of(error)}."
        if isinstance(error, exc.DBAPIError) and code_of(error) in FORBIDDEN:
            remedy = "Grant the account SELECT on it."
            return wrong(Topic.PERMISSIONS, NO_PERMISSIONS, words, remedy)
        return wrong(Topic.OBJECTS, INCOMPLETE, words, "See what the server says about it.")

    # what is there

    def _objects(self, connection: Connection, plan: Plan) -> Iterator[Finding]:
        tables = [plan.table, *(child.table for child in plan.children)]
        try:
            with connection.begin_nested():
                for table in tables:
                    connection.execute(select(table.clause).limit(1)).close()
                asked = select(func.count()).select_from(plan.table.clause)
                count = connection.execute(asked).scalar_one()
        except exc.SQLAlchemyError as error:
            yield self._unreadable(plan.table.label, error)
            return
        labels = ", ".join(table.label for table in tables)
        yield fine(Topic.PERMISSIONS, "MayRead", f"The account may read {labels}.")
        yield fine(
            Topic.OBJECTS,
            "TableFound",
            f"{plan.kind} is read from {plan.table.label}: {count:,} rows, "
            f"{len(plan.columns)} attributes.",
        )
        if not plan.table.is_key(plan.anchor.name):
            yield warning(
                Topic.OBJECTS,
                "AnchorNotKey",
                f"{plan.anchor.name} is not the primary key of {plan.table.label}: rows may share "
                "it.",
                "Choose the column that names a row for ever; a row that shares it with another is "
                "left out, and proves nobody gone.",
            )
        known = {*plan.columns, *(child.child.attribute for child in plan.children)}
        missing = sorted(self._mapped.get(plan.kind, frozenset()) - known)
        if missing:
            text = f"The rules name {', '.join(missing)} of {plan.kind}, which no column is called."
            remedy = "Say in `attributes` which column it is, or take it out of the mapping."
            yield (
                wrong(Topic.OBJECTS, "SchemaAttributeNotFound", text, remedy)
                if self._is_target
                else warning(Topic.OBJECTS, "AttributeNotRead", text, remedy)
            )

    # how changes are told

    def _changes(self, connection: Connection, plan: Plan) -> Iterator[Finding]:
        settings, label = plan.settings, plan.table.label
        if settings.changes is not None:
            yield fine(
                Topic.CHANGES,
                "ChangeTable",
                f"Changes of {plan.kind} are told by {settings.changes.relation.label}.",
            )
        elif settings.watermark and (is_numbered(connection, plan.table)):
            yield fine(
                Topic.CHANGES,
                "WatermarkExact",
                f"Changes of {plan.kind} are told by {settings.watermark} and by which "
                "transactions were open: no late commit is missed.",
            )
        elif settings.watermark:
            overlap = settings.overlap if settings.overlap is not None else OVERLAP
            yield fine(
                Topic.CHANGES,
                "WatermarkOverlaps",
                f"Changes of {plan.kind} are told by {settings.watermark}; what lies {overlap} "
                "before the last read is read again. No transaction may stay open longer.",
            )
        else:
            yield warning(
                Topic.CHANGES,
                "ReadAsWhole",
                f"{label} does not tell what changed: every cycle reads all of it.",
                "Name a watermark column or a change table, where there is one.",
            )
        silent = [c.child for c in plan.children if not c.child.touches_parent]
        if silent and (settings.watermark or settings.changes):
            names = ", ".join(sorted({child.relation.label for child in silent}))
            yield warning(
                Topic.CHANGES,
                "ChildrenSilent",
                f"Whether {names} changed does not show in {label}: every cycle reads all of it.",
                "Let writing there move the watermark (a trigger), and set `touchesParent`.",
            )
        if settings.watermark and settings.soft_delete is None and settings.tells_changes:
            yield fine(
                Topic.CHANGES,
                "DeletionsByFullRead",
                f"A watermark shows no deletion of {plan.kind}: that takes the full read "
                f"{self._every()}.",
            )

    def _every(self) -> str:
        every = self._settings.full_every
        return f"every {every}" if every is not None else "that never comes (`fullEvery: never`)"

    # what may be written

    def _writing(self, connection: Connection, plan: Plan) -> Iterator[Finding]:
        """Try statements that select no row: rights are checked all the same."""
        tables = [plan.table, *(child.table for child in plan.children)]
        refused: list[str] = []
        for table in tables:
            columns = plan.columns.values() if table is plan.table else table.columns.values()
            some = next((c for c in columns if not c.is_computed), None)
            if some is None or not table.is_base:
                continue
            for verb, statement in _harmless(table, some):
                try:
                    with connection.begin_nested() as nested:
                        connection.execute(statement)
                        nested.rollback()
                except exc.SQLAlchemyError:
                    refused.append(f"{verb} {table.label}")
        if refused:
            yield warning(
                Topic.PERMISSIONS,
                "MayNotWrite",
                f"The account may not: {', '.join(refused)}.",
                "Grant it what the mapping's flow types need.",
            )
        else:
            labels = ", ".join(table.label for table in tables)
            yield fine(Topic.PERMISSIONS, "MayWrite", f"The account may write {labels}.")
        if (
            not plan.anchor.has_default
            and not plan.settings.makes_anchor
            and not (
                plan.table.is_key(plan.anchor.name) and plan.anchor.type is AttributeType.INTEGER
            )
        ):
            yield warning(
                Topic.CONDUCT,
                "AnchorNotGenerated",
                f"The database does not make values for {plan.anchor.name}.",
                "Set `generate: uuid`, so that new rows get one, or let the column have a default.",
            )

    def _conduct(self, connection: Connection) -> Iterator[Finding]:
        if self._is_target:
            yield fine(
                Topic.CONDUCT,
                "Writes",
                "Each write is one transaction; a conflict of unique values is one object's "
                "trouble, and a commit without answer is looked up before anything else.",
            )
            return
        atomic = connection.dialect.name in ("postgresql", "mysql", "mariadb", "sqlite")
        yield fine(
            Topic.CONDUCT,
            "Reads",
            f"A full read is one transaction{' that sees one state' if atomic else ''}; who is not "
            f"in it is asked for by id before it counts as gone. All is read {self._every()}.",
        )

    # the catalogue

    async def discover(self) -> DirectoryDefinition:
        def read(connection: Connection) -> DirectoryDefinition:
            catalogue = Catalogue(connection)
            try:
                plans = [self._planner(one, catalogue) for one in self._settings.kinds.values()]
                found = tuple(self._definition(plan, catalogue, plans) for plan in plans)
            except NotInCatalogue as error:
                raise Unreachable(str(error), code=INCOMPLETE) from error
            except exc.SQLAlchemyError as error:
                raise Unreachable(words_of(error), code=INCOMPLETE) from error
            return DirectoryDefinition(found)

        return await self._database.do(read)

    def _definition(self, plan: Plan, catalogue: Catalogue, plans: list[Plan]) -> ObjectDefinition:
        by_table = {
            (one.settings.relation.schema, one.settings.relation.table): one for one in plans
        }
        pointers = catalogue.pointers(plan.settings.relation)
        found: dict[str, AttributeDefinition] = {}
        for name, column in plan.columns.items():
            kind = plan.references.get(name, "")
            pointed = by_table.get(pointers.get(column.name, ("", "")))
            if not kind and pointed is not None and column.name != plan.anchor.name:
                kind = pointed.kind
            found[name] = _attribute(name, column, plan, kind, is_target=self._is_target)
        if not any(one.is_anchor for one in found.values()):
            found[plan.anchor.name] = _attribute(
                plan.anchor.name, plan.anchor, plan, "", is_target=self._is_target
            )
        for child in plan.children:
            attribute, kind = child.child.attribute, child.child.refers_to
            known = found.get(attribute)
            found[attribute] = AttributeDefinition(
                name=attribute,
                type=AttributeType.REFERENCE if kind else child.value.type,
                is_multivalued=True,
                refers_to=tuple(dict.fromkeys((*(known.refers_to if known else ()), kind)))
                if kind
                else (),
            )
        return ObjectDefinition(plan.kind, tuple(found.values()))

    async def close(self) -> None:
        await self._database.close()


def _attribute(
    name: str, column: Column, plan: Plan, kind: str, *, is_target: bool
) -> AttributeDefinition:
    is_anchor = column.name == plan.anchor.name
    is_given = column.is_computed or (is_anchor and is_target)
    return AttributeDefinition(
        name=name,
        type=AttributeType.REFERENCE if kind else column.type,
        is_anchor=is_anchor,
        is_case_exact=column.is_case_exact,
        is_required=not column.is_nullable and not column.has_default,
        is_multivalued=column.is_array,
        mutability=Mutability.READ_ONLY if is_given or not is_target else Mutability.READ_WRITE,
        flows_null=column.is_nullable,
        refers_to=(kind,) if kind else (),
    )


def _harmless(table: Table, some: Column) -> Iterator[tuple[str, Any]]:
    cell: Any = table.clause.c[some.name]
    nobody: Any = (cell.is_(None)) & (cell.is_not(None))
    clause: Any = table.clause
    yield "INSERT into", insert(clause).from_select([some.name], select(cell).where(nobody))
    yield "UPDATE", update(clause).values({some.name: cell}).where(nobody)
    yield "DELETE from", delete(clause).where(nobody)
