"""The composition root: the one place that knows every adapter."""

import asyncio
import contextlib
import functools
import os
import random
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from otto import resources
from otto.adapters.ansible import Ansible, AnsibleOptions
from otto.adapters.ansible.rolefiles import role_digests
from otto.adapters.clock import SystemClock
from otto.adapters.git import (
    ContentLimits,
    EmbeddedRepository,
    Proposals,
    RemoteRepository,
    open_book,
    open_proposals,
    open_source,
    own_commit,
    quarantined,
    seed,
)
from otto.adapters.goldenimages import GoldenImages
from otto.adapters.hook import HookProgram
from otto.adapters.identity import Identity, identity
from otto.adapters.packer import PackerBuilder, PackerOptions
from otto.adapters.policies import FilePolicies
from otto.adapters.prices import FilePrices, open_prices
from otto.adapters.probe import HttpProbe
from otto.adapters.queue import WorkQueue
from otto.adapters.signatures import SignatureTools
from otto.adapters.specs import CachedSpecs, YamlEditor, YamlSpecs, parse_fleet_policy
from otto.adapters.store import SqlStore, open_store
from otto.adapters.terraform import Settings as TerraformOptions
from otto.adapters.terraform import TerraformInfrastructure
from otto.cli import tidying
from otto.cli.forging import forge_of
from otto.cli.labbackend import LabBackend, LabImages
from otto.cli.labdns import LabNameserver
from otto.cli.notifying import notifications
from otto.cli.secrecy import known_secrets
from otto.cli.zonework import zones_of
from otto.config import Settings
from otto.lab.lab import Lab
from otto.lab.nameserver import Nameserver
from otto.lab.workshop import Workshop
from otto.model.errors import UsageError
from otto.model.spec import Provider
from otto.ports import Clock, Policies, Store
from otto.reconcile.controller import Controller
from otto.reconcile.foundry import Foundry
from otto.reconcile.kit import Kit
from otto.reconcile.vouched import ContentDoor
from otto.telemetry.health import Health
from otto.telemetry.metrics import Metrics
from otto.telemetry.redaction import Redactor

# What this version can drive; the other providers' modules come with issues of their own.
_DRIVEN = frozenset({Provider.LAB})


@contextlib.asynccontextmanager
async def open_store_only(settings: Settings) -> AsyncIterator[Store]:
    """The store alone: cheap, and safe beside a running controller."""
    async with _open_store(settings, SystemClock()) as store:
        yield store


def seed_if_empty(settings: Settings) -> bool:
    """Set the embedded repository up, from the examples when there is none; whether there was none.

    Nothing happens when a remote repository is followed.
    """
    source = settings.source
    _private(settings.home)
    if source.url:
        return False
    fresh = not (settings.home / "specs.git").exists()
    seed(
        settings.home,
        resources.path("specs"),
        resources.path("sites"),
        schemas=resources.path("schemas"),
        branch=source.branch,
        reject_invalid=source.rejectInvalid,
    )
    return fresh


@contextlib.asynccontextmanager
async def open_kit(settings: Settings) -> AsyncIterator[Kit]:
    """All ports over the real tools."""
    home = _private(settings.home)
    clock = SystemClock()
    who = identity(home)
    seed_if_empty(settings)
    for name in ("cache", "lab"):
        _private(home / name)
    lab = Lab(home, who.owner, settings.lab)
    prices = _prices(settings)
    policies = FilePolicies(settings.fleet_policy, parse_fleet_policy)
    vouching = SignatureTools(settings.fleet_policy.parent)
    queue = WorkQueue(clock)
    metrics = _metrics(settings, queue)
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(_open_store(settings, clock))
        probe = await stack.enter_async_context(
            HttpProbe(clock, concurrency=max(1, settings.probes.concurrency))
        )
        configuration = _configuration(settings, who, clock)
        stack.push_async_callback(configuration.close)
        notifier = notifications(settings, os.environ, clock, metrics.notified)
        stack.push_async_callback(notifier.close)
        redactor = Redactor(known_secrets(settings, os.environ))
        zones = zones_of(
            settings,
            who.owner,
            _nameserver(settings, who, lab),
            environ=os.environ,
            register=redactor.register,
        )
        stack.push_async_callback(zones.close)
        source = _source(settings, policies, ContentDoor(policies, vouching, clock))
        forge = forge_of(settings, clock, metrics, redactor.scrub)
        if forge is not None:
            stack.push_async_callback(forge.close)
        yield Kit(
            source=source,
            specbook=open_book(
                source, clock, signing_key=settings.source.signingKey, timeout=settings.source.timeout
            ),
            editor=YamlEditor(),
            vouching=vouching,
            specs=CachedSpecs(YamlSpecs()),
            infrastructure=_infrastructure(settings, who, clock, lab),
            configuration=configuration,
            probe=probe,
            images=GoldenImages(store.images, LabImages(lab)),
            store=store,
            ledger=store.ledger,
            prices=prices,
            hook=HookProgram(policies),
            notifier=notifier,
            zones=zones,
            forge=forge,
            proposals=_proposals(settings) if forge is not None and settings.source.url else None,
            forging=settings.forge,
            policies=policies,
            queue=queue,
            clock=clock,
            metrics=metrics,
            settings=settings.loop,
            probes=settings.probes,
            facts=settings.facts,
            refresh=settings.refresh,
            dns=settings.dns,
            providers=frozenset(provider.value for provider in settings.providers if provider in _DRIVEN),
            rng=random.SystemRandom(),
        )


@contextlib.asynccontextmanager
async def open_foundry(settings: Settings) -> AsyncIterator[Foundry]:
    """What makes images; safe beside a running controller."""
    clock = SystemClock()
    home = _private(settings.home)
    who = identity(home)
    for name in ("images", "lab"):
        _private(home / name)
    options = PackerOptions(
        folder=home / "images",
        templates=resources.path("images"),
        ansible=resources.path("infra", "ansible"),
        key=who.key,
        binary=settings.images.packer,
        timeout=settings.images.timeout,
        terraform=settings.terraform.binary,
        checkout=_checkout(),
        commit=own_commit(resources.root()),
        tidying=tidying.command(settings),
    )
    workshop = Workshop(Lab(home, who.owner, settings.lab), who.public_key)
    roles = await asyncio.to_thread(role_digests, options.ansible)
    builder = PackerBuilder(options, roles, workshop, clock)
    async with _open_store(settings, clock) as store:
        yield Foundry(builder, store.images, store.ledger, clock, settings.images.atOnce)


def _checkout() -> Path | None:
    """Where OttO runs from, if that is a checkout."""
    root = resources.root()
    return root if (root / "pyproject.toml").is_file() else None


def _metrics(settings: Settings, queue: WorkQueue) -> Metrics:
    health = Health(longest_work=longest_work(settings))
    shown = settings.metrics
    metrics = Metrics(per_site=shown.perSite, site_limit=shown.siteLimit, health=health)
    metrics.watch_queue(queue.depth, queue.delayed)
    metrics.workers(max(1, settings.loop.workers))
    return metrics


def longest_work(settings: Settings) -> float:
    """Seconds that work on one site may take when everything in it takes all of its time.

    What an earlier controller left is waited for; then content is fetched, Terraform plans, plans again and
    applies, three plays run, hosts are asked for facts twice, and the site is verified. Twice that, as some
    of these may be tried again inside, and since it is better to be late with an alarm than wrong.
    """
    terraform, ansible = settings.terraform, settings.ansible
    infrastructure = 2 * terraform.planTimeout + 2 * terraform.applyTimeout
    configuration = 3 * ansible.timeout + 2 * ansible.factsTimeout
    once = settings.source.timeout + infrastructure + configuration + settings.loop.verifyDeadline
    return 2 * once


def make_controller(kit: Kit, settings: Settings) -> Controller:
    """A controller over these ports."""
    source = settings.source
    quarantine = functools.partial(quarantined, settings.home, branch=source.branch, folder=source.path)
    return Controller(kit, settings.home, source, quarantine, settings.pipelines.schedule)


def _open_store(settings: Settings, clock: Clock) -> SqlStore:
    where = settings.databaseUrl or _private(settings.home) / "otto.db"
    return open_store(where, clock, keep_runs=settings.loop.history)


def _source(
    settings: Settings, policies: Policies, vouch: ContentDoor
) -> EmbeddedRepository | RemoteRepository:
    source, content = settings.source, settings.content
    return open_source(
        settings.home,
        url=source.url,
        branch=source.branch,
        folder=source.path,
        timeout=source.timeout,
        token=source.token,
        ssh_key=source.sshKey,
        local_content=source.localContent,
        limits=ContentLimits(content.maxFiles, content.maxBytes, content.maxFileBytes),
        fetch_bytes=content.fetchBytes,
        inspect_timeout=content.inspectTimeout,
        signatures=lambda: policies.fleet().signatures,
        vouch=vouch,
    )


def _proposals(settings: Settings) -> Proposals:
    source = settings.source
    return open_proposals(
        settings.home,
        url=source.url,
        branch=source.branch,
        folder=source.path,
        timeout=source.timeout,
        token=source.token,
        ssh_key=source.sshKey,
    )


def _infrastructure(settings: Settings, who: Identity, clock: Clock, lab: Lab) -> TerraformInfrastructure:
    options = TerraformOptions(
        home=_private(settings.home / "sites"),
        binary=settings.terraform.binary,
        plan_timeout=settings.terraform.planTimeout,
        apply_timeout=settings.terraform.applyTimeout,
    )
    backends = {Provider.LAB: LabBackend(lab, who.public_key)} if Provider.LAB in settings.providers else {}
    return TerraformInfrastructure(backends, options, clock)


def _nameserver(settings: Settings, who: Identity, lab: Lab) -> LabNameserver | None:
    """The lab's, where the lab may be used."""
    if Provider.LAB not in settings.providers:
        return None
    return LabNameserver(Nameserver(lab, who.public_key, settings.lab.zone))


def _prices(settings: Settings) -> FilePrices:
    ours, schema = resources.path("infra", "prices"), resources.path("schemas", "prices.json")
    return open_prices(ours, settings.home / "prices", schema)


def _configuration(settings: Settings, who: Identity, clock: Clock) -> Ansible:
    home = settings.home
    options = AnsibleOptions(
        folder=resources.path("infra", "ansible"),
        runs=_private(home / "ansible"),
        key=who.key,
        control=home / "ansible" / "control",
        timeout=settings.ansible.timeout,
        facts_timeout=settings.ansible.factsTimeout,
        forks=settings.ansible.forks,
    )
    return Ansible(options, clock)


def _private(folder: Path) -> Path:
    """A folder that is the owner's alone.

    Raises:
        UsageError: it cannot be made, or is not ours to close.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _close(folder)
    except OSError as error:
        mend = "choose another place: OTTO_HOME"
        message = f"{folder} cannot be made and closed to others: {error.strerror}"
        raise UsageError(message, mend=mend) from error
    return folder


def _close(folder: Path) -> None:
    """Close a folder to everybody else; somebody else's, or everybody's, is left alone."""
    found = folder.stat()
    if not found.st_mode & 0o077:
        return
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
        whose = "is shared by everybody" if found.st_mode & stat.S_ISVTX else "belongs to somebody else"
        mend = "set OTTO_HOME to a folder of your own"
        raise UsageError(f"{folder} {whose}, and is open to others", mend=mend)
    folder.chmod(0o700)
