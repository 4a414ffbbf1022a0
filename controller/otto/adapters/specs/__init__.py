"""Specs from YAML files: read with positions, validated against the schemas, explained to people."""

from otto.adapters.specs.cache import CachedSpecs
from otto.adapters.specs.editing import YamlEditor
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.parse import YamlSpecs, parse_fleet_policy

__all__ = ["CachedSpecs", "SpecLimits", "YamlEditor", "YamlSpecs", "parse_fleet_policy"]
