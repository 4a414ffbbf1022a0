"""A provider whose hosts are files: built-in resources only, so that Terraform needs no plugin."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

from otto.adapters.terraform import LiveResource, Module
from otto.model.canonical import Data
from otto.model.history import Account
from otto.model.host import HostEvent, HostState, LiveHost
from otto.model.infrastructure import InfrastructureInputs
from otto.model.spec import HostGroup, Provider, Role

SECRET = "correct-horse-battery"
LEAK = "staple-unmarked-value"

MAIN = """
variable "site" { type = string }
variable "owner" { type = string }
variable "authorized_key" { type = string }
variable "secret" {
  type      = string
  sensitive = true
}
variable "settings" { type = map(string) }
variable "web" {
  type = object({ count = number, size = string, image = string })
  validation {
    condition     = contains(["small", "medium"], var.web.size)
    error_message = "Sizes are small and medium."
  }
}
variable "balancer" { type = object({ count = number, size = string, image = string }) }

locals {
  groups = { web = var.web, balancer = var.balancer }
  hosts = merge([for role, group in local.groups : {
    for n in range(group.count) : "${var.site}-${role}-${n + 1}" => merge(group, { role = role })
  }]...)
}

resource "terraform_data" "host" {
  for_each         = local.hosts
  triggers_replace = each.value.image == "" ? null : [each.value.image]
  input = {
    name = each.key, size = each.value.size, world = var.settings.world, token = var.secret
  }

  provisioner "local-exec" {
    command = <<-EOT
      echo "leaking ${var.settings.leak}"
      touch "$WORLD/$NAME.begun"
      ${lookup(var.settings, "background", "true")}
      sleep ${lookup(var.settings, "delay", "0")}
      test "$NAME" != "${lookup(var.settings, "fail", "")}" || exit 3
      mv "$WORLD/$NAME.begun" "$WORLD/$NAME"
    EOT
    environment = { WORLD = var.settings.world, NAME = each.key }
  }

  provisioner "local-exec" {
    when       = destroy
    command    = "rm -f \\"$WORLD/$NAME\\""
    environment = { WORLD = self.input.world, NAME = self.input.name }
  }
}

output "hosts" {
  value = [for name, host in terraform_data.host : {
    name = name, role = local.hosts[name].role, id = host.id, address = "127.0.0.1",
    private_address = "10.0.0.1", ssh_port = 22, ssh_user = "otto", http_port = 80,
    host_key = "ssh-ed25519 AAAA"
  }]
}
output "endpoints" {
  value = [for name, host in terraform_data.host :
    { address = "127.0.0.1", port = 80, url = "http://127.0.0.1/" } if local.hosts[name].role == "balancer"
  ]
}
output "controllers" { value = ["10.0.0.254"] }
"""


def make_inputs(
    site: str = "blog", web: int = 1, size: str = "small", image: str = "image-1"
) -> InfrastructureInputs:
    return InfrastructureInputs(site, Provider.LAB, HostGroup(web, size, image), HostGroup(1, "small", image))


@dataclass
class LocalBackend:
    """Hosts are files of `world`; one whose content is "foreign" belongs to somebody else."""

    world: Path
    source: Path
    settings: dict[str, str] = field(default_factory=dict)
    required: dict[str, dict[str, str]] = field(default_factory=dict)
    cli_config: str = ""
    sticky: bool = False
    told: list[HostEvent] = field(default_factory=list)

    @property
    def module(self) -> Module:
        return Module(
            path=self.source,
            provider_digest="local",
            required_providers=self.required,
            cli_config=self.cli_config,
            outputs=("hosts", "endpoints", "controllers"),
            host_types={"terraform_data": "input.name"},
            sensitive=frozenset({"secret"}),
            secrets=frozenset({SECRET, LEAK}),
        )

    def variables(self, inputs: InfrastructureInputs) -> dict[str, Data]:
        def group(of: HostGroup) -> dict[str, Data]:
            return {"count": of.count, "size": of.size, "image": of.image}

        settings: dict[str, Data] = {"world": str(self.world), "leak": LEAK, **self.settings}
        return {
            "site": inputs.site,
            "owner": "0badcafe",
            "authorized_key": "ssh-ed25519 AAAA",
            "secret": SECRET,
            "settings": settings,
            "web": group(inputs.web),
            "balancer": group(inputs.balancer),
        }

    def hosts(self, site: str | None) -> list[Path]:
        return sorted(path for path in self.world.glob(f"{site or '*'}-*") if not path.suffix)

    async def inventory(self, site: str | None) -> tuple[LiveHost, ...]:
        return tuple(
            LiveHost(path.name, path.name, path.name.split("-")[0], Role.WEB, HostState.RUNNING)
            for path in self.hosts(site)
        )

    async def account(self) -> Account:
        return Account("0badcafe", "local")

    async def events(self) -> AsyncGenerator[HostEvent, None]:
        for event in self.told:
            yield event

    async def resources(self, site: str) -> tuple[LiveResource, ...]:
        return tuple(
            LiveResource(
                address=f'terraform_data.host["{path.name}"]',
                id=path.name,
                name=path.name,
                host=path.name,
                ours=path.read_text() != "foreign",
                identity=path.read_text() if path.read_text() != "foreign" else "",
            )
            for path in self.hosts(site)
        )

    async def remove(self, site: str, resource: LiveResource) -> None:
        if not self.sticky:
            (self.world / resource.name).unlink(missing_ok=True)


def make_backend(folder: Path) -> LocalBackend:
    world, source = folder / "world", folder / "module"
    world.mkdir(exist_ok=True)
    source.mkdir(exist_ok=True)
    (source / "main.tf").write_text(MAIN)
    return LocalBackend(world, source)
