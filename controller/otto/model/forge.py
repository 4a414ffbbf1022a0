"""What a forge (GitHub, GitLab, Gitea) is told of commits and sites, and asked about pull requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ForgeKind(StrEnum):
    """Whose API a forge speaks; Forgejo speaks Gitea's."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"


class CommitState(StrEnum):
    """How a commit fares."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"  # the commit is at fault: a bad spec, a failed check, a plan that is refused
    ERROR = "error"  # something else is: a tool, a provider, the network
    SUPERSEDED = "superseded"  # a newer commit came before this one's end


class DeploymentState(StrEnum):
    """How a deployment fares."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    GONE = "gone"  # the site is not there any more


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """A word on a commit; a later one of the same context takes its place.

    Attributes:
        repository: the repository's name at the forge: `owner/name`, at GitLab with all its groups.
        commit: the whole commit id.
        context: whose word: `otto/SITE`.
        state: how the commit fares.
        description: one line; the forge's own limit is kept by the adapter.
        target: where there is more to read (http or https), "" for nowhere.
        ref: the branch it came with, "" where that is not known.
    """

    repository: str
    commit: str
    context: str
    state: CommitState
    description: str
    target: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A commit that is, or is being, put in place at a site.

    Attributes:
        repository: as of `CommitStatus`.
        commit: the whole commit id.
        environment: the site's name.
        state: how it fares.
        description: one line.
        url: where visitors reach the site, "" where they do not yet.
        ref: the branch it came with.
    """

    repository: str
    commit: str
    environment: str
    state: DeploymentState
    description: str = ""
    url: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """An open pull request, or merge request.

    Attributes:
        number: its number within the repository.
        head: the commit it proposes, as the forge says.
        ref: the name under which git fetches that commit from the repository itself.
    """

    number: int
    head: str
    ref: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to be said of one commit, for one site.

    Attributes:
        repository: as of `CommitStatus`.
        commit: the commit.
        ref: the branch it came with.
        state: how it fares.
        words: one line.
        behind: commits before it: what a site does under one of these says nothing of this one.
    """

    repository: str
    commit: str
    ref: str = ""
    state: CommitState = CommitState.PENDING
    words: str = ""
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a forge is told over one site.

    Attributes:
        digest: the wish it is about.
        spec: of the commit of the spec repository that changed the site last.
        content: of the commit of its content's own repository.
        deployments: the forge's ids of the deployments of these two, by `spec` and `content`.
    """

    digest: str = ""
    spec: Mark | None = None
    content: Mark | None = None
    deployments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What merging a pull request would give.

    Attributes:
        head: the commit that is proposed.
        base: the commit it would be merged into.
        commit: the merged commit, which exists in a copy apart and nowhere else; "" when there is none.
        conflicts: files that cannot be merged, the first of them.
        trouble: why there is no merged commit besides conflicts, in words.
    """

    head: str
    base: str
    commit: str = ""
    conflicts: tuple[str, ...] = ()
    trouble: str = ""
