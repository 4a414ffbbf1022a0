"""What Terraform's children see of the environment: an allow-list, and settings of ours."""

from collections.abc import Mapping

from otto.adapters.terraform.backend import Module
from otto.adapters.terraform.folder import Folder

PASSED_ON = (
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


def build(module: Module, folder: Folder, outside: Mapping[str, str]) -> dict[str, str]:
    """The environment of a site's commands.

    Nothing that steers Terraform comes from outside: no `TF_CLI_ARGS`, no `TF_VAR_…`, no `TF_LOG`
    (which would write secrets), no plugin cache (which is not safe for several at once).

    Args:
        module: adds what its provider needs.
        folder: the site's.
        outside: the controller's own environment.
    """
    passed = {name: outside[name] for name in PASSED_ON if name in outside}
    ours = {
        "TF_CLI_CONFIG_FILE": str(folder.cli_config),
        "TF_DATA_DIR": str(folder.data),
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }
    return passed | dict(module.environment) | ours
