"""How the API is served, as the settings say."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from otto.adapters import logfile
from otto.adapters.secrets import open_secrets
from otto.api.addresses import networks
from otto.api.app import Options
from otto.api.hooks import HookOptions
from otto.api.server import LIMITS
from otto.api.tls import Certificate
from otto.api.tokengate import GateOptions
from otto.cli.notifying import tell_ways
from otto.cli.secrecy import known_secrets
from otto.config import ApiSettings, HooksSettings, Settings
from otto.desk.house import Household, Lives
from otto.reconcile.buildbook import Opening
from otto.telemetry.redaction import Redactor


@dataclass(frozen=True, slots=True)
class Serving:
    """How the API is served.

    Attributes:
        hooks: how deliveries to webhooks are checked.
        gate: who is let in.
        household: how questions are answered.
        options: what is demanded of requests.
        certificate: for TLS; None for none.
        connections: at once.
    """

    hooks: HookOptions = field(default_factory=HookOptions)
    gate: GateOptions = field(default_factory=GateOptions)
    household: Household = field(default_factory=Household)
    options: Options = field(default_factory=Options)
    certificate: Certificate | None = None
    connections: int = LIMITS.connections

    @staticmethod
    def of(settings: Settings, environ: Mapping[str, str], foundry: Opening) -> "Serving":
        """As the settings say.

        Args:
            settings: say how.
            environ: where variables are looked up.
            foundry: opens what makes images.

        Raises:
            UsageError: one of them is wrong, or leads to what is.
        """
        return Serving(
            hooks=hook_options(settings.hooks, environ, settings.secrets.vaultPassword, settings.home),
            gate=gate_options(settings.api),
            household=household(settings, environ, foundry),
            options=request_options(settings.api, scrubber(settings, environ)),
            certificate=certificate_of(settings.api),
            connections=settings.api.connections,
        )


def gate_options(settings: ApiSettings) -> GateOptions:
    """Who is let in, as the settings say.

    Raises:
        UsageError: an address of a proxy is none.
    """
    hosts = tuple(filter(None, (name.strip().lower() for name in settings.hosts.split(","))))
    return GateOptions(
        anonymous=settings.anonymous == "loopback",
        hosts=hosts,
        proxies=networks(settings.proxies, "api.proxies"),
        guesses=settings.guesses,
        window=settings.guessWindow,
        plain=settings.plain,
    )


def household(settings: Settings, environ: Mapping[str, str], foundry: Opening) -> Household:
    """How the running controller answers questions, as the settings say."""
    lives = Lives(timedelta(days=settings.api.tokenDays), timedelta(days=settings.api.tokenMaxDays))
    ways = functools.partial(tell_ways, settings, environ)
    return Household(
        lives,
        ways,
        logfile.file_of(settings.home),
        foundry=foundry,
        providers=tuple(settings.providers),
    )


def request_options(settings: ApiSettings, scrub: Callable[[str], str] = str) -> Options:
    """What is demanded of requests, as the settings say."""
    return Options(
        origins=settings.allowed,
        rate=settings.rate,
        burst=settings.burst,
        longest=settings.maxBody,
        open_metrics=settings.openMetrics,
        scrub=scrub,
    )


def hook_options(
    settings: HooksSettings,
    environ: Mapping[str, str],
    vault_password: str = "",
    home: Path | None = None,
) -> HookOptions:
    """How deliveries to webhooks are checked, as the settings say.

    Args:
        settings: of webhooks.
        environ: where a variable is looked up.
        vault_password: reference to the password of vaults, "" for none.
        home: OTTO_HOME, where deliveries are remembered; None for nowhere.

    Raises:
        UsageError: the secret cannot be had.
    """
    secrets = open_secrets("hooks.secret", settings.secret, environ, vault_password)
    seen = home / "cache" / "deliveries" if home is not None and secrets else None
    return HookOptions(secrets, settings.maxBody, settings.window, seen)


def scrubber(settings: Settings, environ: Mapping[str, str]) -> Callable[[str], str]:
    """What takes secrets out of texts: those that settings and environment hold, and what looks like one."""
    return Redactor(known_secrets(settings, environ)).scrub


def certificate_of(settings: ApiSettings) -> Certificate | None:
    """The certificate for TLS that settings name; None where they name none.

    Raises:
        UsageError: it cannot be used.
    """
    if not settings.certificate:
        return None
    return Certificate(Path(settings.certificate), Path(settings.key))
