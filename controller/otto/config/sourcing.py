"""Settings of repositories, and of the forges they are on."""

from dataclasses import dataclass, field

from otto.decide import references
from otto.model.errors import UsageError


@dataclass(frozen=True)
class SourceSettings:
    """Where specs come from."""

    url: str = field(default="", metadata={"help": "remote repository; empty: the embedded specs.git"})
    branch: str = field(default="main", metadata={"help": "branch that is followed"})
    path: str = field(default="specs", metadata={"help": "folder of the specs in the repository"})
    interval: float = field(default=30.0, metadata={"help": "seconds between two polls of a remote"})
    timeout: float = field(default=60.0, metadata={"help": "seconds one fetch may take"})
    rejectInvalid: bool = field(  # noqa: N815  (as issues and docs name it)
        default=False, metadata={"help": "refuse a push that holds a bad spec"}
    )
    token: str = field(default="", metadata={"help": "reference to a token: env:NAME or file:PATH"})
    sshKey: str = field(  # noqa: N815
        default="", metadata={"help": "private key for the host of source.url, when that is ssh"}
    )
    signingKey: str = field(  # noqa: N815
        default="",
        metadata={"help": "private SSH key that commits made through the API are signed with; empty: none"},
    )
    mailDomain: str = field(  # noqa: N815
        default="localhost", metadata={"help": "what stands behind the @ of callers of the API in commits"}
    )
    localContent: bool = field(  # noqa: N815
        default=False, metadata={"help": "let specs take content from the controller's disk (file:///)"}
    )


@dataclass(frozen=True)
class ContentSettings:
    """How much one site may serve, and what looking through it may take."""

    maxFiles: int = field(default=50_000, metadata={"help": "files one site may have"})  # noqa: N815
    maxBytes: int = field(  # noqa: N815
        default=1024**3, metadata={"help": "bytes all files of one site may have together"}
    )
    maxFileBytes: int = field(  # noqa: N815
        default=256 * 1024**2, metadata={"help": "bytes one file may have"}
    )
    fetchBytes: int = field(  # noqa: N815
        default=2 * 1024**3, metadata={"help": "bytes one fetch of a content repository may bring"}
    )
    inspectTimeout: float = field(  # noqa: N815
        default=300.0, metadata={"help": "seconds a look through the content of one site may take"}
    )


@dataclass(frozen=True)
class PipelinesSettings:
    """Pipelines."""

    schedule: str = field(
        default="",
        metadata={
            "help": "when every site is fetched, looked at and verified anew, as a cron expression in UTC"
        },
    )


@dataclass(frozen=True)
class HooksSettings:
    """Webhooks."""

    secret: str = field(
        default="",
        metadata={
            "help": "reference to the secret that senders share, several one a line: env:NAME, file:PATH or "
            "vault:PATH#KEY; empty: no webhooks"
        },
    )
    maxBody: int = field(  # noqa: N815
        default=1 << 20, metadata={"help": "most bytes of a delivery; more is refused unread"}
    )
    window: float = field(
        default=300.0, metadata={"help": "seconds by which the time in a generic delivery may be off"}
    )

    def __post_init__(self) -> None:
        """Refuse a secret where a reference belongs, without showing it."""
        if self.secret and not references.is_reference(self.secret):
            mend = "put the secret into a file of mode 0600 and set it to file:PATH"
            raise UsageError("setting hooks.secret (OTTO_HOOKS_SECRET) is no reference", mend=mend)


@dataclass(frozen=True)
class ForgeSettings:
    """Where repositories live, and is told what became of commits: GitHub, GitLab, Gitea, Forgejo."""

    token: str = field(
        default="",
        metadata={"help": "reference to a token: env:NAME or file:PATH; empty: nothing is told"},
    )
    kind: str = field(
        default="", metadata={"help": "github, gitlab or gitea; empty: told by the host's name"}
    )
    api: str = field(default="", metadata={"help": "address of the API; empty: the usual one of the host"})
    host: str = field(
        default="", metadata={"help": "host in addresses of repositories; empty: that of source.url"}
    )
    authority: str = field(
        default="", metadata={"help": "file of certificate authorities to trust; empty: the system's"}
    )
    context: str = field(default="otto", metadata={"help": "name that commit statuses begin with"})
    timeout: float = field(default=15.0, metadata={"help": "seconds a request may take"})
    sites: int = field(
        default=50,
        metadata={"help": "most sites of one commit that get a status each; with more, one for all"},
    )
    deployments: bool = field(default=True, metadata={"help": "keep a record of deployments, by site"})
    pulls: int = field(
        default=30, metadata={"help": "open pull requests that get a preview, the newest; 0 for none"}
    )
    interval: float = field(
        default=60.0, metadata={"help": "seconds between two looks at open pull requests"}
    )

    def __post_init__(self) -> None:
        """Refuse a token where a reference belongs, without showing it."""
        if self.token and not self.token.startswith(("env:", "file:")):
            mend = "put the token into a file of mode 0600 and set it to file:PATH"
            raise UsageError("setting forge.token (OTTO_FORGE_TOKEN) is no reference", mend=mend)
