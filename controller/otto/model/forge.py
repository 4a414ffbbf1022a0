"""What a forge (GitHub, GitLab, Gitea) is told of commits and sites, and asked about pull requests."""

from dataclasses import dataclass
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
