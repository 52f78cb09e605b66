"""Loads and tables as OpenLineage events, for the catalogues that a ministry already has.

Made from the ledger and the tables as they stand, never kept beside them: the same facts give
the same events, with the same run ids. Standard: OpenLineage 2-0-2, events of type RunEvent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qua3ck.understand.gold.build import Built, query_of
from qua3ck.understand.gold.query import Columns, origins, rule_of
from qua3ck.understand.section import Understand

_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "schema": "facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "version": "facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "columnLineage": "facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet",
    "ownership": "facets/1-0-1/OwnershipDatasetFacet.json#/$defs/OwnershipDatasetFacet",
    "documentation": "facets/1-1-0/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet",
    "outputStatistics": "facets/1-0-2/OutputStatisticsOutputDatasetFacet.json"
    "#/$defs/OutputStatisticsOutputDatasetFacet",
    "sql": "facets/1-1-0/SQLJobFacet.json#/$defs/SQLJobFacet",
    "jobType": "facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
_OURS = uuid.UUID("b2f0f2f6-6f0e-5d7b-9a55-4d8a0d6f3c11")  # makes run ids that are ours alone


@dataclass(frozen=True)
class LoadFact:
    """One load, as the ledger has it.

    ``at`` is ISO 8601 with a zone; ``pieces`` maps each piece to the SHA-256 of its bytes.
    """

    source: str
    at: str
    version: int
    rows: int
    digest: str
    pieces: Mapping[str, str]


@dataclass(frozen=True)
class ActFact:
    """Anything else that was made of tables, as the ledger has it.

    ``reads`` are (namespace, name, version); an empty namespace is the project's.
    """

    job: str
    kind: str
    at: str
    content: str
    reads: tuple[tuple[str, str, str], ...]
    writes: tuple[str, str, str]
    rows: int


def events(
    project: str,
    section: Understand,
    loads: Iterable[LoadFact],
    built: Iterable[tuple[Built, str]],
    columns: Columns,
    *,
    root: Path,
    producer: str,
    acts: Iterable[ActFact] = (),
) -> Iterator[dict[str, Any]]:
    """Yield a START and a COMPLETE event for every load, every gold table and every other act.

    Parameters
    ----------
    project : str
        The namespace of jobs and tables.
    loads : iterable of LoadFact
        Oldest first.
    built : iterable of (Built, str)
        The gold tables, each with the moment (ISO 8601) it was made.
    columns : mapping
        Every table's columns and their types.
    producer : str
        A URI that names this program and its version.
    acts : iterable of ActFact
        Such as predictions.
    """
    made = _Maker(project, section, columns, root, producer)
    for load in loads:
        yield from made.load(load)
    for table, at in built:
        yield from made.table(table, at)
    for act in acts:
        yield from made.act(act)


class _Maker:
    """Puts events together for one project."""

    def __init__(
        self, project: str, section: Understand, columns: Columns, root: Path, producer: str
    ) -> None:
        self._project, self._section, self._columns = project, section, columns
        self._root, self._producer = root, producer

    def load(self, load: LoadFact) -> Iterator[dict[str, Any]]:
        source = self._section.sources.get(load.source)
        facets = self._described(load.source, str(load.version))
        if source is not None and source.owner:
            facets["ownership"] = self._facet("ownership", owners=[{"name": source.owner}])
        where = (source.path or source.url or source.function or "") if source else ""
        inputs = [
            self._dataset("file", f"{where}#{name}" if where else name, {"version": content})
            for name, content in load.pieces.items()
        ]
        output = self._dataset(self._project, f"silver/{load.source}", facets)
        output["outputFacets"] = {
            "outputStatistics": self._facet("outputStatistics", rowCount=load.rows)
        }
        job = self._job(f"load.{load.source}", "LOAD")
        yield from self._pair(job, load.at, load.digest, inputs, [output])

    def table(self, one: Built, at: str) -> Iterator[dict[str, Any]]:
        query = query_of(one.name, self._section.tables[one.name], self._root)
        facets = self._described(one.name, str(one.version))
        job = self._job(f"table.{one.name}", "QUERY" if query else "FUNCTION")
        if query is not None:
            job["facets"]["sql"] = self._facet("sql", query=query.text, dialect="duckdb")
            facets["columnLineage"] = self._column_lineage(one)
        says = self._section.tables[one.name].says
        if says:
            facets["documentation"] = self._facet("documentation", description=says)
        inputs = [
            self._dataset(
                self._project, made_of.table, self._described(made_of.name, str(made_of.version))
            )
            for made_of in one.made_of
        ]
        output = self._dataset(self._project, one.table, facets)
        output["outputFacets"] = {
            "outputStatistics": self._facet("outputStatistics", rowCount=one.rows)
        }
        yield from self._pair(job, at, one.key, inputs, [output])

    def act(self, act: ActFact) -> Iterator[dict[str, Any]]:
        inputs, output = (
            [
                self._dataset(namespace or self._project, name, {"version": version})
                for namespace, name, version in places
            ]
            for places in (act.reads, (act.writes,))
        )
        output[0]["outputFacets"] = {
            "outputStatistics": self._facet("outputStatistics", rowCount=act.rows)
        }
        yield from self._pair(self._job(act.job, act.kind), act.at, act.content, inputs, output)

    def _pair(
        self,
        job: dict[str, Any],
        at: str,
        content: str,
        inputs: list[dict[str, Any]],
        outputs: list[dict[str, Any]],
    ) -> Iterator[dict[str, Any]]:
        run = {"runId": str(uuid.uuid5(_OURS, f"{self._project}/{job['name']}/{at}/{content}"))}
        for kind in ("START", "COMPLETE"):
            yield {
                "eventType": kind,
                "eventTime": at,
                "producer": self._producer,
                "schemaURL": _EVENT,
                "run": run,
                "job": job,
                "inputs": inputs,
                "outputs": outputs if kind == "COMPLETE" else [],
            }

    def _job(self, name: str, kind: str) -> dict[str, Any]:
        job_type = self._facet(
            "jobType", processingType="BATCH", integration="QUA3CK", jobType=kind
        )
        return {"namespace": self._project, "name": name, "facets": {"jobType": job_type}}

    def _dataset(self, namespace: str, name: str, facets: dict[str, Any]) -> dict[str, Any]:
        version = facets.get("version")
        if isinstance(version, str):
            facets = {**facets, "version": self._facet("version", datasetVersion=version)}
        return {"namespace": namespace, "name": name, "facets": facets}

    def _described(self, name: str, version: str) -> dict[str, Any]:
        fields = [
            {"name": column, "type": kind, "ordinal_position": place}
            for place, (column, kind) in enumerate(self._columns.get(name, {}).items(), 1)
        ]
        return {"version": version, "schema": self._facet("schema", fields=fields)}

    def _column_lineage(self, one: Built) -> dict[str, Any]:
        query = query_of(one.name, self._section.tables[one.name], self._root)
        assert query is not None  # noqa: S101 - the caller looked
        tables = {made_of.name: made_of.table for made_of in one.made_of}
        fields = {}
        for column, found in origins(query, self._columns).items():
            behind = [
                {"namespace": self._project, "name": tables[o.table], "field": o.column}
                for o in found
            ]
            rule = rule_of(query, column, self._columns)
            fields[column] = {"inputFields": behind, "transformationDescription": rule}
        return self._facet("columnLineage", fields=fields)

    def _facet(self, kind: str, **facts: Any) -> dict[str, Any]:
        return {
            "_producer": self._producer,
            "_schemaURL": f"{_SPEC}/{_FACETS[kind]}",
            **facts,
        }
