"""The source of specs and content: git repositories, embedded and remote."""

from otto.adapters.git.access import Access, Keyring
from otto.adapters.git.book import open_book
from otto.adapters.git.content import ContentLimits
from otto.adapters.git.hooks import install_hooks
from otto.adapters.git.own import own_commit
from otto.adapters.git.proposals import Proposals
from otto.adapters.git.quarantine import quarantined
from otto.adapters.git.repositories import EmbeddedRepository, RemoteRepository
from otto.adapters.git.scaffold import scaffold
from otto.adapters.git.seed import seed
from otto.adapters.git.source import open_proposals, open_source

__all__ = [
    "Access",
    "ContentLimits",
    "EmbeddedRepository",
    "Keyring",
    "Proposals",
    "RemoteRepository",
    "install_hooks",
    "open_book",
    "open_proposals",
    "open_source",
    "own_commit",
    "quarantined",
    "scaffold",
    "seed",
]
