"""A spec plus everything it resolves to, named by one digest of content."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from otto.model.canonical import digest
from otto.model.declared import DeclaredHost
from otto.model.spec import Role, SiteSpec


@dataclass(frozen=True)
class Desired:
    """What one site should be.

    Attributes:
        spec: the validated spec.
        commit: where it was read; told to people, never part of a digest.
        images: role -> image id the spec's image name resolves to.
        module: digest of the Terraform module and of the provider that serves it.
        roles: Ansible role -> digest of its files.
        content: id of the content (a git tree), independent of the commit it came with.
        declared: machines that people declared for the site, by name; no Terraform is run for them.
    """

    spec: SiteSpec
    commit: str
    images: Mapping[str, str]
    module: str
    roles: Mapping[str, str]
    content: str
    declared: tuple[DeclaredHost, ...] = ()

    @property
    def site(self) -> str:
        """The site's name."""
        return self.spec.name

    @cached_property
    def infrastructure_digest(self) -> str:
        """Names everything Terraform is given. No Terraform run is needed while it stays the same."""
        return digest(
            {
                "provider": self.spec.provider,
                "web": (self.spec.web.count, self.spec.web.size, self.images.get("web", "")),
                "balancer": (
                    self.spec.balancer.count,
                    self.spec.balancer.size,
                    self.images.get("balancer", ""),
                ),
                "module": self.module,
            }
        )

    @cached_property
    def digest(self) -> str:
        """Names the whole wish. Order of domains and checks matters; labels, file and commit do not."""
        named: dict[str, object] = {
            "infrastructure": self.infrastructure_digest,
            "configuration": {role.value: self.configuration_inputs(role) for role in Role},
            "content": self.content,
            "checks": self.spec.checks,
        }
        if self.declared:
            named["declared"] = [replace(spec, file="", line=0, labels={}) for spec in self.declared]
        return digest(named)

    def host_names(self, role: Role) -> tuple[str, ...]:
        """Names of all hosts wanted for a role: those that are made, then those that are declared."""
        return (*self.spec.host_names(role), *(spec.name for spec in self.declared if spec.role is role))

    @property
    def declared_names(self) -> frozenset[str]:
        """Names of its declared hosts."""
        return frozenset(spec.name for spec in self.declared)

    def configuration_inputs(self, role: Role) -> dict[str, object]:
        """What configures a host of this role, besides the addresses of its neighbours."""
        if role is Role.WEB:
            own: dict[str, object] = {
                "domains": self.spec.domains,
                "roles": self._digests("nginx", "content"),
            }
        else:
            own = {"algorithm": self.spec.algorithm, "roles": self._digests("haproxy")}
        return own | {"base": self._digests("base")}

    def _digests(self, *names: str) -> dict[str, str]:
        return {name: self.roles.get(name, "") for name in names}
