"""All settings."""

from dataclasses import dataclass, field
from pathlib import Path

from otto.config.looping import (
    FactsSettings,
    LoopSettings,
    NotifySettings,
    PolicySettings,
    ProbesSettings,
    RefreshSettings,
)
from otto.config.serving import ApiSettings, LogSettings, MetricsSettings, RemoteSettings, SecretsSettings
from otto.config.sourcing import (
    ContentSettings,
    ForgeSettings,
    HooksSettings,
    PipelinesSettings,
    SourceSettings,
)
from otto.config.tools import AnsibleSettings, DnsSettings, ImagesSettings, LabSettings, TerraformSettings
from otto.model.spec import Provider


@dataclass(frozen=True)
class Settings:
    """All settings; see `otto config` for each with its help and present value."""

    home: Path = Path("var")
    databaseUrl: str = field(  # noqa: N815
        default="", metadata={"help": "SQLAlchemy URL of the store; empty: OTTO_HOME/otto.db"}
    )
    providers: tuple[Provider, ...] = field(
        default=tuple(Provider), metadata={"help": "providers that may be touched (CLOWD_PROVIDERS)"}
    )
    api: ApiSettings = field(default_factory=ApiSettings)
    remote: RemoteSettings = field(default_factory=RemoteSettings)
    secrets: SecretsSettings = field(default_factory=SecretsSettings)
    source: SourceSettings = field(default_factory=SourceSettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    lab: LabSettings = field(default_factory=LabSettings)
    terraform: TerraformSettings = field(default_factory=TerraformSettings)
    ansible: AnsibleSettings = field(default_factory=AnsibleSettings)
    images: ImagesSettings = field(default_factory=ImagesSettings)
    loop: LoopSettings = field(default_factory=LoopSettings)
    probes: ProbesSettings = field(default_factory=ProbesSettings)
    facts: FactsSettings = field(default_factory=FactsSettings)
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    dns: DnsSettings = field(default_factory=DnsSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    pipelines: PipelinesSettings = field(default_factory=PipelinesSettings)
    hooks: HooksSettings = field(default_factory=HooksSettings)
    forge: ForgeSettings = field(default_factory=ForgeSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    log: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)

    @property
    def database(self) -> str:
        """URL of the store."""
        return self.databaseUrl or f"sqlite:///{self.home / 'otto.db'}"

    @property
    def fleet_policy(self) -> Path:
        """File of the fleet's policy."""
        return Path(self.policy.file).absolute() if self.policy.file else self.home / "policy.yaml"
