"""Settings: defaults, then the file, then the environment, then flags, each over the one before.

The file is `OTTO_HOME/otto.yaml` (or what `OTTO_CONFIG` names). A setting `api.port` is `OTTO_API_PORT`
in the environment. Unknown names are errors, so that a typing mistake never goes unnoticed.
"""

from otto.config.looping import (
    FactsSettings,
    LoopSettings,
    NotifySettings,
    PolicySettings,
    ProbesSettings,
    RefreshSettings,
)
from otto.config.reading import environment_name, load, names
from otto.config.serving import ApiSettings, LogSettings, MetricsSettings, RemoteSettings, SecretsSettings
from otto.config.settings import Settings
from otto.config.sourcing import (
    ContentSettings,
    ForgeSettings,
    HooksSettings,
    PipelinesSettings,
    SourceSettings,
)
from otto.config.tools import AnsibleSettings, DnsSettings, ImagesSettings, LabSettings, TerraformSettings

__all__ = [
    "AnsibleSettings",
    "ApiSettings",
    "ContentSettings",
    "DnsSettings",
    "FactsSettings",
    "ForgeSettings",
    "HooksSettings",
    "ImagesSettings",
    "LabSettings",
    "LogSettings",
    "LoopSettings",
    "MetricsSettings",
    "NotifySettings",
    "PipelinesSettings",
    "PolicySettings",
    "ProbesSettings",
    "RefreshSettings",
    "RemoteSettings",
    "SecretsSettings",
    "Settings",
    "SourceSettings",
    "TerraformSettings",
    "environment_name",
    "load",
    "names",
]
