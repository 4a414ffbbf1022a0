"""One small protocol for each thing outside. Adapters implement them, `otto.testing` in memory.

Every method that talks to the outside is a coroutine, has a time limit of its own, and raises only
errors of `otto.model.errors`. Cancelling a coroutine stops its child processes before it returns.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from otto.model.catalogue import Entry, RememberedDomain, RememberedSpec, SpecFile
from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.cost import PriceTable
from otto.model.domain import DomainSpec
from otto.model.forge import CommitStatus, Deployment, Proposal, Pull
from otto.model.history import Account, AuditEntry, AuditRecord, Charge, Grant, GrantKind, Removal
from otto.model.host import Host, HostEvent, HostFacts, LiveHost
from otto.model.image import Build, Channel, Image, ImageName
from otto.model.infrastructure import Adoptable, InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.inspection import Inspection
from otto.model.notice import Notice
from otto.model.observed import Applied, InfrastructureState, Seen, Unseen
from otto.model.pipeline import Pipeline
from otto.model.plan import Plan
from otto.model.policy import FleetPolicy
from otto.model.probing import ProbeRequest, ProbeResult
from otto.model.progress import Report
from otto.model.register import Place
from otto.model.rollout import RolloutStatus
from otto.model.run import Outcome, Run
from otto.model.signature import GitObject, Signatures, Signed, Signer, TagRef
from otto.model.spec import Content, Provider, SiteSpec
from otto.model.status import SiteStatus
from otto.model.verdict import Reason, Verdict
from otto.model.zonememory import ZoneMemory
from otto.ports.register import Register
from otto.ports.tokens import Tokens


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Source(Protocol):
    """The git repository of specs."""

    async def fetch(self) -> str | None:
        """Bring the configured branch up to date; its commit id, None when it has no commit.

        Raises:
            TransientError: the remote could not be reached; the last good revision stays readable.
            TerminalError: the branch is gone, or the remote refused us.
        """

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a commit by path: `*.yaml` and `*.yml` below the specs folder."""

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths (all, not only specs) that differ between two commits."""

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""

    def retain(self, commits: Iterable[str]) -> None:
        """Keep these commits, and no others besides the newest, from being pruned."""

    def object(self, identity: str) -> GitObject:
        """A commit or tag as git stores it, the bytes that its id and its signature are of.

        Raises:
            TerminalError: there is no such object, or it is far too big for one of these.
        """

    def tags(self) -> tuple[TagRef, ...]:
        """The tags there are; of a remote repository only while signed tags are demanded."""

    def reaches(self, commit: str, earlier: str) -> bool:
        """Whether a commit is, or builds on, an earlier one, as far as the history is here."""

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that a site's content resolves to.

        Raises:
            TerminalError: no such folder, or it holds what may not be served (links out of it).
            TransientError: the content's own repository cannot be reached and was never fetched.
        """

    async def inspect(self, content: str, domains: Iterable[str] = ()) -> Inspection:
        """What is wrong with the files of a tree that `content` gave out; costs nothing a second time.

        Args:
            content: id of the tree.
            domains: names the site answers for: what leads to them is looked for in the tree.

        Returns:
            The findings. That they could not be found out, in time or memory, is a finding itself.

        Raises:
            TerminalError: no repository holds that tree.
        """

    def revision(self, content: Content) -> str:
        """The commit of the content's own repository that its ref led to when it was fetched last.

        "" for content in the repository of specs, and before the first fetch. Nothing is fetched for it.
        """

    def stale(self, content: Content) -> str:
        """Why the content is what was fetched some time ago, though there may be newer; "" where it is not.

        What the last look at its repository came to; nothing is fetched for it.
        """

    async def archive(self, content: str) -> Path:
        """A tar of the files of a tree, the same bytes every time, kept until pruned."""

    def author(self, commit: str) -> str:
        """Who wrote a commit of the spec repository, in the commit's own words; "" when that is not known."""

    def expire(self, git: str) -> None:
        """Have the next `content` out of this repository fetch it, however short ago it was fetched."""

    def on_moved(self, listener: "Moved") -> None:
        """Have a listener hear when a fetch finds a content repository's ref at another commit."""


Moved = Callable[[str, str, str], None]
"""Hears of a content repository that moved: its address, the ref as specs name it, and the commit.

Must be quick and must not raise; what it hears was not used by anything yet."""


class Specs(Protocol):
    """Turns a file into specs."""

    def parse(self, path: str, data: bytes) -> SpecFile:
        """Parse and validate one file; never raises for what the file says."""


class Infrastructure(Protocol):
    """Servers and networks."""

    def module(self, provider: Provider) -> str:
        """Digest of the provider's Terraform module and of what serves it."""

    async def state(self, site: str) -> InfrastructureState | None:
        """What the state holds, without asking the provider; None when there is no state.

        Raises:
            TerminalError: the state cannot be read.
        """

    async def inventory(self, site: str | None = None) -> tuple[LiveHost, ...]:
        """Hosts alive under our owner's labels, of one site or all. Milliseconds, no Terraform."""

    def events(self) -> AsyncIterator[HostEvent]:
        """What providers tell of hosts under our owner's labels, as it happens; waits while nothing does.

        Nothing is started for it. Events may be missed: they hasten a look and replace none.

        Raises:
            TransientError: the connection ended or there is none; call again after a while.
        """

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        """Import what is ours and missing from the state, then plan; hosts of `inputs.replace` anew.

        What is alive under the site's labels and neither wanted nor in the state is left alone.

        Raises:
            WaitingError: another process holds the site's state lock.
        """

    async def refresh(self, inputs: InfrastructureInputs, report: Report) -> tuple[ResourceChange, ...]:
        """What changed outside Terraform, by asking the provider; nothing is changed.

        Raises:
            WaitingError: another process holds the site's state lock.
        """

    async def adoptable(self, inputs: InfrastructureInputs) -> tuple[Adoptable, ...]:
        """What the next plan would take into the state."""

    async def remove(self, host: LiveHost) -> None:
        """Remove one host that carries our owner's labels, now, without Terraform; gone already is fine.

        Raises:
            TerminalError: it is not ours, or the site's state holds it.
        """

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        """Apply that very plan; the state afterwards.

        Raises:
            TransientError: the plan went stale or a resource failed; what was made is in the state.
        """

    async def destroy(self, site: str, provider: Provider, report: Report) -> None:
        """Destroy everything the site has, state and labelled leftovers, and its working folder."""

    async def settle(self, site: str, report: Report) -> None:
        """Wait for child processes of this site that an earlier, killed controller left running.

        After a limit they are interrupted. Locks that nobody holds are cleared.
        """

    async def account(self, provider: Provider) -> Account | None:
        """As whom, and where, the provider would act; None where that cannot be told apart.

        Raises:
            TransientError: it cannot be asked now.
            TerminalError: it refuses our credentials.
        """


class Configuration(Protocol):
    """What runs on the hosts."""

    def roles(self) -> Mapping[str, str]:
        """Role name -> digest of its files."""

    def foreseen(self, site: str) -> AbstractAsyncContextManager[None]:
        """Make ready for a play over a site that the block is likely to ask for.

        What that takes goes on beside the block. The play need not come: nothing is left at the block's end.
        """

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        """Run one targeted play."""

    async def drain(self, balancers: Sequence[Host], timeout: float, report: Report) -> None:  # noqa: ASYNC109
        """Have balancers take no new visitor and let those they have finish, for at most so many seconds.

        A balancer that does not answer has no visitors: it is left out, and told of by the report.

        Raises:
            TransientError: a balancer answers and goes on taking visitors.
        """

    async def set_aside(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> Mapping[str, int]:
        """Have balancers send no new visitor to servers, and wait for those they have to finish.

        Again for the same servers is harmless, and is needed after a balancer was reloaded: that forgets it.

        Args:
            balancers: all of the site's; one that does not answer has no visitors, and is told of.
            servers: names of web servers, as the balancers call them.
            timeout: seconds visitors have to finish; those left then are cut by what follows.
            report: hears what happens.

        Returns:
            Server -> sessions that were left when the time was up, over all balancers; 0 is the rule.

        Raises:
            TerminalError: a name that no server can have; nothing was sent.
            TransientError: a balancer answers and goes on sending visitors there, or has no other server
                that is UP: it leaves those visitors to the server. Other balancers may have done as told.
        """

    async def bring_back(
        self,
        balancers: Sequence[Host],
        servers: Sequence[str],
        timeout: float,  # noqa: ASYNC109
        report: Report,
    ) -> None:
        """Have balancers send visitors to servers again, and wait until each balancer calls them UP.

        No visitor is sent to a server before the balancer's own check of it has passed.

        Raises:
            TerminalError: a name that no server can have; nothing was sent.
            TransientError: a balancer that answers does not call one of them UP in time.
        """

    async def culprits(
        self, hosts: Sequence[Host], paths: Mapping[str, Sequence[str]]
    ) -> Mapping[str, tuple[str, ...]]:
        """Who or what keeps changing files of hosts, in words, by host; as far as each of them can tell.

        To be asked before a repair, which would be the last change itself. Not on a steady path. `paths` are
        the files by host; a host without any is not asked. One that does not answer says `does not answer`.
        """

    def facts(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[str, Seen[HostFacts] | Unseen]]:
        """Facts of hosts, of many sites at once, each as it comes; every host is answered for."""


class Probe(Protocol):
    """Requests to sites."""

    async def get(self, request: ProbeRequest) -> ProbeResult:
        """Make one request; never raises for what the other side does."""

    async def ssh(self, address: str, port: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Whether an SSH server names itself there within that many seconds (RFC 4253, section 4.2).

        Raises:
            TransientError: nothing can be asked from here, which says nothing of the other side.
        """


class Images(Protocol):
    """Images of hosts."""

    async def resolve(self, provider: Provider, name: str) -> str:
        """Id of the image a name stands for.

        Raises:
            TerminalError: there is no such image for this provider.
        """


class ImageBuilder(Protocol):
    """Builds golden images, and tries them."""

    def builds(self, provider: Provider, names: Sequence[str]) -> tuple[Build, ...]:
        """What building these images would take in; nothing is built. Parents come before their children.

        Raises:
            UsageError: there is no template of that name, or none for the provider.
        """

    async def build(self, build: Build, report: Report) -> Image:
        """Build one image and smoke-test it; the image with its one artifact, packages and SBOM.

        Nothing is left behind by a build that fails or is cancelled.

        Raises:
            TerminalError: the template is wrong, or the smoke test failed: says what was asked and what came.
            TransientError: the build failed for a reason that may pass.
        """

    async def exists(self, provider: Provider, artifact: str) -> bool:
        """Whether the provider still has it."""

    async def remove(self, provider: Provider, artifact: str) -> None:
        """Remove an artifact; gone already is fine.

        Raises:
            TransientError: a host still runs on it.
        """


class ImageIndex(Protocol):
    """The golden images there are, and the channels that point at them."""

    async def version(self) -> str:
        """Names what the index holds: another one after every change, and cheap to ask for."""

    async def add(self, image: Image) -> None:
        """Keep an image, beside what the index has of its digest (`Image.beside`)."""

    async def revoke(self, digest: str, reason: str) -> None:
        """Say why an image must not be used any more; "" takes that back. An unknown one is left alone."""

    async def image(self, digest: str) -> Image | None:
        """An image by its digest."""

    async def images(self, name: str | None = None) -> tuple[Image, ...]:
        """All images, or those of a name, newest first."""

    async def drop(self, digest: str) -> None:
        """Take an image out of the index."""

    async def point(self, channel: Channel) -> None:
        """Have a channel point at an image."""

    async def channels(self, name: str | None = None) -> tuple[Channel, ...]:
        """All channels, or those of an image's name, sorted by image and name."""

    async def find(self, name: ImageName) -> Image | None:
        """The image that a name stands for; None when there is none."""


class PipelineRecords(Protocol):
    """What pipelines did."""

    async def save(self, *pipelines: Pipeline) -> None:
        """Keep pipelines, replacing what was kept of them; ended ones push the oldest of their site out."""

    async def pipeline(self, pipeline_id: str) -> Pipeline | None:
        """A pipeline by id."""

    async def pipelines(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        before: Place | None = None,
    ) -> tuple[Pipeline, ...]:
        """Pipelines, newest first; arguments as those of `Store.runs`."""

    async def open(self) -> tuple[Pipeline, ...]:
        """Pipelines that never ended."""


class Queue(Protocol):
    """Keys that are due, with the semantics of controller-runtime's work queue.

    A key is in it once, and is never handed out twice at a time: a key added while it is being worked
    on is handed out again after `done`.
    """

    def add(self, key: str, cause: str) -> None:
        """Make a key due now; a pending later time for it is dropped."""

    def add_after(self, key: str, cause: str, seconds: float) -> None:
        """Make a key due later, unless it is due sooner already."""

    async def get(self) -> tuple[str, str]:
        """Wait for a key that is due; the key and why."""

    def done(self, key: str) -> None:
        """Say that the work on a key has ended."""

    def forget(self, key: str) -> None:
        """Drop a key that is waiting."""


class Store(Protocol):
    """OttO's memory. Git, provider and hosts give it anew but for history, audit and what people said."""

    @property
    def ledger(self) -> "Ledger":
        """What the guard remembers, kept in the same place."""

    @property
    def images(self) -> "ImageIndex":
        """The index of golden images, kept in the same place."""

    @property
    def pipelines(self) -> "PipelineRecords":
        """What pipelines did, kept in the same place."""

    @property
    def tokens(self) -> Tokens:
        """Tokens of the HTTP API, kept in the same place."""

    @property
    def register(self) -> "Register":
        """Its sites, listed."""

    async def rollout(self, site: str) -> RolloutStatus:
        """The site's last rollout, and its quarantined wishes; an empty one before the first."""

    async def save_rollout(self, rollout: RolloutStatus) -> None:
        """Keep how a rollout stands."""

    def read_here(self) -> None:
        """Say that the calling thread, with an event loop of its own, asks for few rows at a time, and often.

        What it asks for may be read by that thread itself from now on.
        """

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""

    async def save_status(self, status: SiteStatus) -> None:
        """Keep a status."""

    async def save_run(self, run: Run) -> None:
        """Keep a run, replacing what was kept of it."""

    async def run(self, run_id: str) -> Run | None:
        """A run by id."""

    async def runs(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        outcome: Outcome | None = None,
        before: Place | None = None,
    ) -> tuple[Run, ...]:
        """Runs, newest first.

        Args:
            site: of this site alone.
            limit: so many at most.
            labels: only of sites that are there and have all of these.
            outcome: only those that ended so.
            before: only those behind this place.
        """

    async def open_runs(self) -> tuple[Run, ...]:
        """Runs that never ended: those a killed controller left."""

    async def applied(self, site: str) -> Applied:
        """What OttO put in place last; empty when nothing."""

    async def save_applied(self, site: str, applied: Applied) -> None:
        """Keep what was put in place."""

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""

    async def remember(self, specs: Sequence[RememberedSpec]) -> None:
        """Keep last good specs."""

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """Last good spec of every zone."""

    async def remember_domains(self, specs: Sequence[RememberedDomain]) -> None:
        """Keep last good specs of zones."""

    async def zones(self) -> Mapping[str, ZoneMemory]:
        """What is remembered of every zone, by name."""

    async def save_zone(self, memory: ZoneMemory) -> None:
        """Keep what is to be remembered of a zone; `forget` of its name drops it."""

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec: `suspend`, `destroy`."""

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        """Record or take back such a wish."""

    async def value(self, key: str) -> str | None:
        """A small value by key (last commit seen, …)."""

    async def set_value(self, key: str, value: str) -> None:
        """Keep a small value."""

    async def forget(self, site: str) -> None:
        """Drop all but the history of a site that is destroyed; what people said of it goes too."""


class Ledger(Protocol):
    """What the guard remembers. Nothing of the audit record is ever changed or dropped."""

    async def append(self, entry: AuditEntry) -> AuditRecord:
        """Add to the audit record; its place in the chain. Safe beside other processes."""

    async def records(
        self, *, site: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[AuditRecord, ...]:
        """The audit record from behind number `after` on, oldest first."""

    async def latest(
        self,
        *,
        site: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        labels: Mapping[str, str] | None = None,
        before: int | None = None,
    ) -> tuple[AuditRecord, ...]:
        """The newest of the audit record, newest first.

        Args:
            site: of this site alone.
            since: no older ones.
            limit: so many at most.
            labels: only of sites that are there and have all of these.
            before: only those of a lower number.
        """

    async def grant(self, grant: Grant) -> None:
        """Keep what somebody said, in place of what has the same key."""

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said, oldest first; with `site`, what concerns it: its own and that of all sites."""

    async def revoke(self, grant: Grant) -> bool:
        """Take it back; whether it was there."""

    async def removed(self, removals: Sequence[Removal]) -> None:
        """Keep what was taken away."""

    async def removals(self, since: datetime) -> tuple[Removal, ...]:
        """What was taken away since then, of all sites, oldest first."""

    async def charge(self, charge: Charge) -> None:
        """Keep what a site costs from now on; the same as before adds nothing."""

    async def charges(self, since: datetime, *, site: str | None = None) -> tuple[Charge, ...]:
        """Charges since then, and of each site the last one before, oldest first; of one site or all."""


class Notifier(Protocol):
    """Tells people."""

    async def notify(self, notice: Notice) -> None:
        """Tell of something, on every way that is set up; a way that fails is logged and stops no other.

        Returns at once or within a time limit of its own; never raises for what the other side does.
        """


class Forge(Protocol):
    """Where repositories live: GitHub, GitLab, Gitea. Its texts lose secrets on their way out.

    Every method raises TransientError, with `retry_after` where the forge says so, for what may pass, and
    TerminalError for what it will not take: a bad token, a repository or commit that it does not have.
    """

    def repository(self, url: str) -> str:
        """What this forge calls the repository of a git address; "" for one that lives elsewhere."""

    async def status(self, status: CommitStatus) -> None:
        """Say how a commit fares, in place of what was said under that context."""

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """Say how a deployment fares.

        Args:
            deployment: the deployment.
            known: what an earlier call for this commit and environment returned, "" for none.

        Returns:
            The forge's id of it; "" where it keeps no record of deployments.
        """

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """Open pull requests into a branch, those that moved last first, so many at most."""

    async def comment(self, repository: str, number: int, marker: str, body: str, known: str = "") -> str:
        """Have one comment of ours, which begins with a marker, on a pull request say this and nothing else.

        Args:
            repository: as `repository` calls it.
            number: the pull request's.
            marker: a line that readers do not see, the first of `body`.
            body: Markdown.
            known: what an earlier call returned, "" for none: then it is looked for, or else made.

        Returns:
            The forge's id of the comment.
        """


class Proposals(Protocol):
    """What pull requests of the spec repository propose, apart from everything that is in force.

    What it reads is a stranger's: nothing of it is ever run, served, or sent to a host.
    """

    async def merged(self, ref: str, base: str) -> Proposal:
        """What merging a ref of the repository into a commit of its branch would give.

        Raises:
            TransientError: the repository cannot be reached, or has moved on.
            TerminalError: it refuses us, is too big, or has no such ref.
        """

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a merged commit by path."""

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths that differ between two commits, merged ones too."""

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that content in the repository itself resolves to.

        Raises:
            TerminalError: there is no such folder, or it holds what may not be served.
        """


class PolicyHook(Protocol):
    """Somebody else's word on a plan."""

    async def judge(
        self, plan: Plan, spec: SiteSpec | DomainSpec | None, verdict: Verdict
    ) -> tuple[Reason, ...]:
        """What the hook finds; no reason leaves the verdict as it is.

        A hook that cannot be run, does not end in time, or answers what cannot be read, is itself a reason
        that refuses: what was to be asked and was not is never allowed.
        """


class Vouching(Protocol):
    """Whether signatures are good."""

    def digest(self, policy: Signatures) -> str:
        """Names what is demanded, and the keys as their files hold them now.

        Raises:
            TerminalError: a key or its file cannot be read.
        """

    async def check(self, signed: Signed, policy: Signatures, now: datetime) -> Signer:
        """Who signed it.

        Raises:
            TerminalError: it is not signed, or not by a key that counts; says why.
            TransientError: it cannot be told now: a tool is missing, or did not end in time.
        """


class Prices(Protocol):
    """What hosts cost."""

    def table(self, provider: Provider) -> PriceTable | None:
        """The price table of a provider, None when there is none."""


class Policies(Protocol):
    """The operator's policy for the fleet.

    Attributes:
        problem: what is wrong with its newest version, "" when nothing is.
    """

    problem: str

    def fleet(self) -> FleetPolicy:
        """The policy that is in force: the newest good one."""
