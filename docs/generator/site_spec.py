"""References of the documents that people write, from their JSON Schemas."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from generator.page import code, joined, table
from otto import resources

Schema = Mapping[str, Any]

_INTRO = """\
# The site spec

A spec is a YAML file with the ending `.yaml` or `.yml` below the folder `specs` of the repository (the
setting `source.path`). A file may hold several documents, separated by `---`. Unknown fields are errors.
The schema is [schemas/site.json](../../schemas/site.json), JSON Schema 2020-12; with this first line an
editor that uses yaml-language-server completes and checks while you type:

    # yaml-language-server: $schema=../schemas/site.json

How to write one is told in [Write a spec](../how-to/write-a-spec.md)."""

_BEYOND = """\
## Rules beyond the schema

`otto validate` and the controller also refuse:

- a name that two documents share, and a domain that two sites share;
- `dependsOn` that names a site which does not exist, or closes a circle;
- on the provider `lab`, a size other than `small`, `medium` and `large`;
- a content path that leaves the repository, is the whole repository, or lies in `.git`;
- an address in `content.git` with credentials, a query or a fragment;
- a domain with `xn--` that is not the ASCII form of any name;
- a site that has a tombstone too (see [The tombstone](tombstone.md));
- of a policy: `ttl` and `until` together, a length of 0, a time without a time zone, a `warn` of 0, a time
  zone that does not exist, and a cron expression that is none, never comes, or uses more than numbers, names,
  ranges, lists, `*` and steps;
- a spec file that is a symbolic link, is not UTF-8, is larger than 1 MiB, holds more than 250,000
  values (each use of an alias counted as all it stands for), or nests deeper than 32 levels;
- a YAML key that stands twice in one mapping."""


_DOMAIN = """\
# The domain spec

A Domain is a DNS zone, described by a document of its own in a YAML file below the folder `specs` of the
repository, as sites are. The schema is [schemas/domain.json](../../schemas/domain.json), JSON Schema
2020-12. How to write one, and what OttO makes of it, is told in [Manage DNS
zones](../how-to/domains.md)."""

_DOMAIN_BEYOND = """\
## Rules beyond the schema

`otto validate` and the controller also refuse:

- a zone that two documents describe, and a record that follows a site which does not exist or has a
  tombstone;
- names of a zone that lie in another zone below it, but for the NS records that delegate it and addresses
  of its nameservers; and NS records there that differ from that zone's `nameservers`;
- two record sets of one name and type, and two values of one that say the same;
- `CNAME` for the zone itself, beside any other record of its name, or with two values; `ALIAS` beside
  addresses, or where the provider has none;
- `NS` of the zone itself in `records` (`nameservers` says that), beside other records of a name, or of a
  wildcard; anything but addresses below a delegated name;
- `MX`, `NS` and `SRV` that lead to a `CNAME` of the zone;
- values that are none of their type; of a host name one that holds a dot and does not end with one, since
  it is not clear whether it ends there; a name outside of the zone, or longer than 253 characters with it;
- `TXT` that is not printable ASCII, and strings in quotation marks of more than 255 bytes; plain text is
  split by itself;
- a name with `xn--` that is not the ASCII form of any;
- `server` of a provider that is reached by its API, and none with `powerdns`; `registrar` without
  `nameservers`;
- of a policy: what is refused of [a site's](site-spec.md#rules-beyond-the-schema).

A record set of a site stands for `A` and `AAAA` where it names no type, and for those alone for which the
site has addresses. `TXT` values are plain text; a value that begins with a quotation mark is read as in a
zone file."""

_HOST = """\
# The host spec

A Host is a machine of your own, declared by a document in a YAML file below the folder `specs` of the
repository, as sites are. The schema is [schemas/host.json](../../schemas/host.json), JSON Schema 2020-12.
What OttO does with it is told in [Bring machines of your own](../how-to/declare-a-machine.md)."""

_HOST_BEYOND = """\
## Rules beyond the schema

`otto validate` and the controller also refuse:

- a name that two documents share, or that ends with `-web-N` or `-balancer-N`: so hosts are called that
  OttO makes;
- one address and SSH port declared under two names;
- a `site` that has no spec;
- an address of the controller itself (loopback, unspecified), and link-local, multicast and reserved ones."""

_TOMBSTONE = """\
# The tombstone

A tombstone is a document of its own in a YAML file below the folder `specs` of the repository, as specs are.
The schema is [schemas/tombstone.json](../../schemas/tombstone.json), JSON Schema 2020-12. What it does
is told in [Remove or destroy a site, and bring it back](../how-to/remove-and-bring-back.md)."""

_TOMBSTONE_BEYOND = """\
## Rules beyond the schema

- A site that has both a spec and a tombstone is left as it is, and so is one with two tombstones: that is a
  problem of the site, until one of them is gone.
- A tombstone of a site that nobody knows is fine and does nothing.
- `at` has a time zone: `Z`, or an offset as `+01:00`."""

_FLEET = """\
# The fleet's policy

What the operator allows for all sites together stands in one YAML file beside the controller,
`OTTO_HOME/policy.yaml` or the file that the setting `policy.file` names. It is no part of the repository.
The schema is [schemas/fleet-policy.json](../../schemas/fleet-policy.json), JSON Schema 2020-12. How to
write one is told in [Set the policy of the fleet](../how-to/fleet-policy.md)."""

_FLEET_BEYOND = """\
## Rules beyond the schema

- A limit that is changed has to have a `reason`.
- No length of time is 0; a window lasts at most 31 days, the hook at most five minutes.
- The executable of a hook is named by its absolute path.
- Time zones and cron expressions have to exist, as for [sites](site-spec.md#rules-beyond-the-schema)."""


def render() -> str:
    """The page of the site spec."""
    return _page("site.json", _INTRO, "The least and a little more", _BEYOND)


def render_domain() -> str:
    """The page of the domain spec."""
    return _page("domain.json", _DOMAIN, "An example", _DOMAIN_BEYOND)


def render_host() -> str:
    """The page of the host spec."""
    return _page("host.json", _HOST, "An example", _HOST_BEYOND)


def render_tombstone() -> str:
    """The page of the tombstone."""
    return _page("tombstone.json", _TOMBSTONE, "The least", _TOMBSTONE_BEYOND)


def render_fleet_policy() -> str:
    """The page of the fleet's policy."""
    return _page("fleet-policy.json", _FLEET, "An example", _FLEET_BEYOND)


def _page(file: str, intro: str, heading: str, beyond: str) -> str:
    schema = json.loads(resources.path("schemas", file).read_text(encoding="utf-8"))
    example = "```yaml\n" + yaml.safe_dump(schema["examples"][0], sort_keys=False) + "```"
    fields = joined(_sections(schema, schema, ""))
    return joined([intro, schema["description"], f"## {heading}", example, fields, beyond])


def _sections(root: Schema, node: Schema, path: str) -> Iterator[str]:
    """A section for every field, an object's before those inside it."""
    obliged = node.get("required", ())
    for name, raw in node.get("properties", {}).items():
        field = _resolved(root, raw)
        inner = f"{path}.{name}" if path else name
        yield _section(root, field, inner, required=name in obliged)
        item = _resolved(root, field.get("items", {}))
        yield from _sections(root, field, inner)
        yield from _sections(root, item, f"{inner}[]")


def _section(root: Schema, field: Schema, path: str, *, required: bool) -> str:
    rows = [(name, value) for name, value in _facts(root, field, required=required) if value]
    heading = "##" if path.count(".") == 0 else "###"
    return joined([f"{heading} `{path}`", field.get("description", ""), table(("", ""), rows)])


def _facts(root: Schema, field: Schema, *, required: bool) -> Iterator[tuple[str, str]]:
    yield "type", _type(root, field)
    yield "required", "yes" if required else ""
    if "default" in field:
        yield "default", code(json.dumps(field["default"], ensure_ascii=False))
    yield "allowed", _allowed(field)
    item = _resolved(root, field.get("items", {}))
    yield "each", _allowed(item)
    yield "examples", _examples(field)


def _type(root: Schema, field: Schema) -> str:
    kinds = field.get("type", "")
    kind = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if kind == "array":
        item = _resolved(root, field.get("items", {}))
        unique = ", no two alike" if field.get("uniqueItems") else ""
        return f"list of {item.get('type', 'value')}s{unique}"
    values = field.get("additionalProperties")
    if isinstance(values, Mapping):
        return f"mapping of names to {values.get('type', 'value')}s"
    return "mapping" if kind == "object" else kind


def _allowed(field: Schema) -> str:
    return "; ".join(_rules(field))


def _rules(field: Schema) -> Iterator[str]:
    if "const" in field:
        yield code(field["const"])
    if "enum" in field:
        yield ", ".join(code(value) for value in field["enum"])
    if "patternErrorMessage" in field:
        yield str(field["patternErrorMessage"])
    if "minimum" in field:
        yield f"{field['minimum']} to {field['maximum']}"
    for key, words in (("maxLength", "characters"), ("maxItems", "entries"), ("maxProperties", "entries")):
        if key in field:
            yield f"at most {field[key]} {words}"


def _examples(field: Schema) -> str:
    return ", ".join(code(json.dumps(value, ensure_ascii=False)) for value in field.get("examples", ()))


def _resolved(root: Schema, node: Schema) -> Schema:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = root
    for part in str(reference).removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **node}
