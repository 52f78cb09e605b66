"""The versions that this process may answer with, each proven before it is used.

A version is loaded only as the signed ledger names it: every byte is held against the
digest there, its golden rows are replayed, and only then does it take over, between two
requests. A version whose golden rows differ is never used, and is dropped if it once was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qua3ck.govern.releases import Release, model_folder
from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Routing, ServePlan
from qua3ck.operate.serve.batching import Batcher
from qua3ck.store.releases import golden, runner
from qua3ck.store.releases.artefact import Manifest, verify
from qua3ck.store.releases.model import answer, run_pipeline
from qua3ck.store.releases.rows import Prepared, Rows, label_of

Events = Callable[[str, Mapping[str, Any]], None]
NO_CHAMPION = "No version is champion"
_FEW = 16


class Version:
    """A proven version, ready to answer; built by :func:`load_version`.

    Parameters
    ----------
    number : int
        The release's number.
    manifest : Manifest
        Of its artefact.
    folder : pathlib.Path
        Its artefact, already verified.
    hidden : frozenset of str or None, optional
        Columns of which no refusal tells what training had; None for every column.
    """

    def __init__(
        self,
        number: int,
        manifest: Manifest,
        folder: Path,
        hidden: frozenset[str] | None = frozenset(),
    ) -> None:
        self.number = number
        self.manifest = manifest
        self.folder = folder
        if hidden is None:
            hidden = frozenset(column["name"] for column in manifest.spec["columns"])
        self.rows = Rows(manifest.spec, hidden=hidden)
        self.batcher: Batcher | None = None
        if manifest.kind == "onnx":
            self._session = runner.open_session((folder / manifest.model).read_bytes())
        else:
            self._pipeline = run_pipeline(folder, manifest)
            self.batcher = Batcher(self._pipeline)
        classify = manifest.task != "regression"
        self._label = label_of(manifest.spec) if classify else None
        trained = list(manifest.trained_classes)
        self._places = [trained.index(c) if c in trained else -1 for c in manifest.classes]

    def __repr__(self) -> str:
        """Return one line for a log."""
        return f"Version({self.number}, {self.manifest.algorithm}, {self.manifest.kind})"

    def run(self, prepared: Prepared) -> NDArray[Any]:
        """Return the raw output at once; a row alone answers as it does among others."""
        if self.batcher is not None:
            return self._pipeline(prepared.cells())[: prepared.rows]
        if prepared.rows == 1:
            return self._session(prepared.feed())[:1]
        return self._in_blocks(prepared)

    async def run_soon(self, prepared: Prepared) -> NDArray[Any]:
        """Return the raw output of a model kept in Python, perhaps in one call with others."""
        if self.batcher is None:
            return self.run(prepared)
        made = await self.batcher.answer(prepared.cells())
        return made[: prepared.rows]

    def outputs(self, raw: NDArray[Any]) -> dict[str, list[Any]]:
        """Return the one output schema as lists: ``label`` and ``p_<class>``, or ``value``."""
        if self._label is None:
            return {"value": np.asarray(raw, dtype=np.float64).reshape(-1).tolist()}
        classes = self.manifest.classes
        if len(raw) > _FEW:
            made = answer(np.asarray(raw, dtype=np.float64), self.manifest)
            columns = {f"p_{c}": made.figures[:, at].tolist() for at, c in enumerate(classes)}
            return {"label": list(made.labels) if made.labels is not None else [], **columns}
        scores = [[line[at] if at >= 0 else 0.0 for at in self._places] for line in raw.tolist()]
        outputs: dict[str, list[Any]] = {"label": [self._label(line) for line in scores]}
        for at, name in enumerate(classes):
            outputs[f"p_{name}"] = [line[at] for line in scores]
        return outputs

    def replay(self) -> list[str]:
        """Return how the golden rows' answers differ from those recorded; empty if none."""
        listed, expected = golden.stored(self.folder)
        table = {name: [row.get(name) for row in listed] for name in self.rows.columns}
        raw = self.run(self.rows.prepare(table, len(listed)))
        said = answer(np.asarray(raw, dtype=np.float64), self.manifest)
        return golden.differences(said, expected)

    def close(self) -> None:
        """Give back its thread."""
        if self.batcher is not None:
            self.batcher.close()

    def _in_blocks(self, prepared: Prepared) -> NDArray[Any]:
        """Run in blocks of 2 to 512 rows, as :mod:`runner` does."""
        most = runner.BLOCK
        if prepared.rows <= most:
            return self._session(prepared.feed())
        feed, parts = prepared.feed(), []
        for start in range(0, prepared.rows, most):
            part = {name: column[start : start + most] for name, column in feed.items()}
            alone = len(next(iter(part.values()))) == 1
            if alone:
                part = {name: np.repeat(column, 2, axis=0) for name, column in part.items()}
            made = self._session(part)
            parts.append(made[:1] if alone else made)
        return np.concatenate(parts)


@dataclass(frozen=True)
class Serving:
    """Who answers now; replaced as a whole, so that a request sees one state.

    ``routing`` is what can be served of what the ledger wants; ``problem`` says what cannot.
    """

    routing: Routing | None = None
    versions: Mapping[int, Version] = field(default_factory=dict)
    problem: str = ""

    @cached_property
    def waits(self) -> bool:
        """Whether an answer may have to wait for a model kept in Python."""
        return any(version.batcher is not None for version in self.versions.values())


class Versions:
    """Loads and drops versions as the routing asks.

    Parameters
    ----------
    plan : ServePlan
        Where the project is.
    released : callable
        From a version's number to its release as the verified ledger has it.
    events : callable, optional
        Told of what happens, with its facts: ``version.loaded``, ``version.refused``,
        ``version.dropped``.
    tells : bool, default True
        Whether refusals tell what training had, but for the columns that the plan hides.
    """

    def __init__(
        self,
        plan: ServePlan,
        released: Callable[[int], Release],
        *,
        events: Events | None = None,
        tells: bool = True,
    ) -> None:
        self._plan = plan
        self._hidden = plan.hidden if tells else None
        self._released = released
        self._events = events or _nobody
        self.refused: dict[int, str] = {}
        self.serving = Serving()
        self._wanted: Routing | None = None

    @property
    def ready(self) -> bool:
        """Whether the version that the ledger wants answers."""
        now = self.serving
        return now.routing is not None and not now.problem and bool(now.routing.arms)

    def use(self, routing: Routing) -> None:
        """Load what is new, then switch; takes as long as loading does, so not in the loop.

        What cannot be used is passed over: an arm's share goes to the champion, and if it
        is the champion that cannot be used, the routing before stays and ``ready`` is false.
        """
        before, said = self.serving, self.refused
        loaded: dict[int, Version] = {}
        refused = self.refused = {}
        self._wanted = routing
        for number in sorted(routing.versions):
            try:
                loaded[number] = before.versions.get(number) or self._load(number)
            except Qua3ckError as problem:
                refused[number] = problem.what
                if said.get(number) != problem.what:
                    self._events(
                        "version.refused",
                        {"version": number, "what": problem.what, "where": problem.where},
                    )
        self._switch(_possible(routing, loaded), routing, loaded, refused)

    def use_again(self) -> None:
        """Try what was refused once more: its files may have been put back."""
        if self.refused and self._wanted is not None:
            self.use(self._wanted)

    def replay(self) -> None:
        """Replay the golden rows of everything in use; what differs is used no longer."""
        now = self.serving
        if now.routing is None:
            return
        refused = self.refused
        for number, version in now.versions.items():
            found = version.replay()
            if found:
                refused[number] = f"Version {number} no longer answers its golden rows: {found[0]}"
                self._events("version.refused", {"version": number, "what": refused[number]})
        if refused.keys() & now.versions.keys():
            kept = {n: v for n, v in now.versions.items() if n not in refused}
            said = "; ".join(refused.values())
            routing = _possible(now.routing, kept) or replace(now.routing, arms=(), shadow=None)
            self._set(Serving(routing, kept, said))

    def _switch(
        self,
        possible: Routing | None,
        wanted: Routing,
        loaded: dict[int, Version],
        refused: Mapping[int, str],
    ) -> None:
        said = "; ".join(refused.values())
        if possible is not None:
            self._set(Serving(possible, loaded, said if _needs(wanted, refused) else ""))
            return
        before = self.serving
        if before.routing is None or not wanted.arms:
            nobody = replace(wanted, arms=(), shadow=None)
            self._set(Serving(nobody, {}, said or NO_CHAMPION))
            return
        # The switch-off must work whatever can be loaded.
        kept = replace(before.routing, off=wanted.off, at_seq=wanted.at_seq)
        self._set(Serving(kept, before.versions, said))

    def _set(self, serving: Serving) -> None:
        dropped = [v for n, v in self.serving.versions.items() if n not in serving.versions]
        self.serving = serving
        for version in dropped:
            version.close()
            self._events("version.dropped", {"version": version.number})

    def _load(self, number: int) -> Version:
        began = time.monotonic()
        release = self._released(number)
        version = load_version(self._plan.folder, release, hidden=self._hidden)
        facts = {
            "version": number,
            "kind": version.manifest.kind,
            "digest": release.candidate,
            "seconds": round(time.monotonic() - began, 3),
        }
        self._events("version.loaded", facts)
        return version


def load_version(
    root: Path, release: Release, *, hidden: frozenset[str] | None = frozenset()
) -> Version:
    """Return a version after proving its bytes and replaying its golden rows.

    Raises
    ------
    Qua3ckError
        If a byte differs from the signed ledger's digest, the model file asks for types
        that are not allowed, or a golden row is answered otherwise than recorded.
    """
    folder = model_folder(root, release)
    manifest = verify(folder, digest=release.candidate)
    version = Version(release.version, manifest, folder, hidden)
    found = version.replay()
    if found:
        version.close()
        raise Qua3ckError(
            f"Version {release.version} does not answer its golden rows as recorded: {found[0]}",
            where=str(folder),
            fix="use the library versions in the release's requirements.txt",
        )
    return version


def _possible(routing: Routing, loaded: Mapping[int, Version]) -> Routing | None:
    """Return the routing without what is not loaded; None if the champion is not."""
    if not routing.arms or routing.arms[-1].version not in loaded:
        return None
    arms = [arm for arm in routing.arms[:-1] if arm.version in loaded]
    last = replace(routing.arms[-1], share=1.0 - sum(arm.share for arm in arms))
    shadow = routing.shadow if routing.shadow and routing.shadow.version in loaded else None
    return replace(routing, arms=(*arms, last), shadow=shadow)


def _needs(routing: Routing, refused: Mapping[int, str]) -> bool:
    return any(arm.version in refused for arm in routing.arms)


def _nobody(event: str, facts: Mapping[str, Any]) -> None:
    del event, facts
