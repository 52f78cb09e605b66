"""One person's visit: who they are, which language they read, which version they look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qua3ck.app import seeing
from qua3ck.app.reading import Reader
from qua3ck.app.texts import TEXTS, percent, say
from qua3ck.transfer.facts import Facts
from qua3ck.transfer.texts import day, moment


@dataclass(frozen=True)
class Visit:
    """What a page is drawn for.

    ``version`` is the version looked at, None while nothing is released; ``alias`` is the
    name it was chosen by, empty for a version that was named itself.
    """

    reader: Reader
    name: str
    roles: tuple[str, ...]
    lang: str
    version: int | None = None
    alias: str = ""

    def say(self, key: str, **values: object) -> str:
        """Return a sentence in the reader's language."""
        return say(key, self.lang, **values)

    def heads(self, page: str, names: Sequence[str]) -> list[str]:
        """Return the words above a table's columns; what the report calls alike is said alike."""
        own = {name: f"{page}.column.{name}" for name in names}
        return [self.say(own[n] if own[n] in TEXTS else f"column.{n}") for n in names]

    def place(self, alias: str) -> str:
        """Return what a version's place is called, with a rollout's share, or that it is off."""
        now, going = self.reader.routing()
        if alias == "canary" and going is not None:
            return self.say("alias.canary", share=percent(going.share, self.lang))
        if alias == "champion" and now.off is not None:
            return self.say("alias.champion.off")
        return self.say(f"alias.{alias}")

    def say_event(self, event: str) -> str:
        """Return what a ledger event is called; one that has no name here keeps its own."""
        key = f"event.{event}"
        return say(key, self.lang) if key in TEXTS else event

    def moment(self, at: str) -> str:
        """Return date and minute of an ISO 8601 moment as the reader's language has it."""
        return moment(at, self.lang).replace(" ", "\u00a0")

    def day(self, at: str) -> str:
        """Return the date of an ISO 8601 moment as the reader's language has it."""
        return day(at, self.lang)

    def facts(self, version: int | None = None) -> Facts:
        """Return the evidence of the version looked at, or of another one."""
        wanted = version if version is not None else self.version
        if wanted is None:
            message = "no version is looked at"
            raise ValueError(message)
        return self.reader.evidence(wanted, self.lang)

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages this person sees."""
        return seeing.pages_for(self.roles)


@dataclass(frozen=True)
class Choice:
    """One entry of the version picker: by an alias, or a version itself."""

    alias: str
    version: int


def choices(reader: Reader, roles: Sequence[str]) -> tuple[Choice, ...]:
    """Return what may be looked at: the aliases, then what is not in use for who may try it."""
    aliases = reader.aliases()
    order = sorted(aliases, key=lambda alias: (alias != "champion", alias))
    listed = [Choice(alias, aliases[alias]) for alias in order]
    if seeing.may_try(roles):
        used = set(aliases.values())
        newest_first = reversed(reader.releases())
        listed += [Choice("", one.version) for one in newest_first if one.version not in used]
    return tuple(listed)


def chosen(listed: Sequence[Choice], asked: str) -> Choice | None:
    """Return the choice asked for by alias or number; else the first."""
    for choice in listed:
        if asked and asked in (choice.alias, str(choice.version)):
            return choice
    return listed[0] if listed else None
