"""Servers and networks by Terraform: the port `Infrastructure`, and what a provider has to hand in."""

from otto.adapters.terraform.adapter import TerraformInfrastructure
from otto.adapters.terraform.backend import Backend, LiveResource, Module
from otto.adapters.terraform.settings import Settings
from otto.adapters.terraform.version import Version

__all__ = ["Backend", "LiveResource", "Module", "Settings", "TerraformInfrastructure", "Version"]
