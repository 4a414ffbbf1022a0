"""Hosts of sites, each with what was observed of it last: by its provider, and by itself."""

from dataclasses import dataclass
from datetime import datetime

from otto.decide.documents import Document, object_data
from otto.model.canonical import to_data
from otto.model.host import Host, HostFacts, LiveHost
from otto.model.observed import Seen, Unseen


@dataclass(frozen=True, slots=True)
class HostView:
    """A host and what is known of it.

    Attributes:
        site: whose, "" for nobody's.
        host: as Terraform's state has it, or as a person declared it.
        provider: where it lives, "" for a declared one.
        declared: whether a person declared it: OttO neither made nor removes it.
        live: as the provider listed it last, None when it was not in the list.
        listed_at: when that list was taken, None before the first.
        facts: what it said of itself last, or why that is not known.
    """

    site: str
    host: Host
    provider: str
    live: LiveHost | None
    listed_at: datetime | None
    facts: Seen[HostFacts] | Unseen
    declared: bool = False

    def document(self) -> Document:
        """As plain data; `schemas/api/host.json` describes it."""
        seen, live = self.facts, self.live
        return {
            **object_data(self.host),
            "site": self.site,
            "provider": self.provider,
            "declared": self.declared,
            "state": live.state.value if live else None,
            "size": live.size if live else "",
            "started_at": to_data(live.started_at) if live else None,
            "listed_at": to_data(self.listed_at),
            "facts": object_data(seen.value) if isinstance(seen, Seen) else None,
            "facts_at": to_data(seen.at) if isinstance(seen, Seen) else None,
            "unseen": seen.reason if isinstance(seen, Unseen) else "",
        }
