"""From a valid document to a spec."""

from collections.abc import Mapping
from typing import Any

from otto.adapters.specs.policy import site_policy
from otto.adapters.specs.rollout import site_rollout
from otto.adapters.specs.times import time_of
from otto.model.inspection import Validation
from otto.model.spec import Algorithm, Check, Content, HostGroup, Provider, SiteSpec, Tombstone


def site(document: Mapping[str, Any], path: str, line: int) -> SiteSpec:
    """The spec that a valid document, its defaults filled in, describes."""
    metadata, spec = document["metadata"], document["spec"]
    return SiteSpec(
        name=metadata["name"],
        labels=dict(metadata["labels"]),
        provider=Provider(spec["provider"]),
        web=_group(spec["web"]),
        balancer=_group(spec["balancer"]),
        algorithm=Algorithm(spec["balancer"]["algorithm"]),
        content=_content(spec["content"]),
        domains=tuple(spec["domains"]),
        checks=tuple(_check(check) for check in spec["checks"]),
        policy=site_policy(spec["policy"]),
        rollout=site_rollout(spec["rollout"]),
        depends_on=tuple(spec["dependsOn"]),
        suspend=spec["suspend"],
        file=path,
        line=line,
    )


def tombstone(document: Mapping[str, Any], path: str, line: int) -> Tombstone:
    """The tombstone that a valid document, its defaults filled in, describes."""
    spec = document["spec"]
    return Tombstone(
        site=spec["site"],
        reason=spec["reason"].strip(),
        by=spec["by"].strip(),
        at=time_of(spec["at"]) if "at" in spec else None,
        file=path,
        line=line,
    )


def _group(group: Mapping[str, Any]) -> HostGroup:
    return HostGroup(count=group["count"], size=group["size"], image=group["image"])


def _content(content: Mapping[str, str]) -> Content:
    return Content(
        path=normal(content.get("path", "")),
        git=content.get("git", ""),
        ref=content.get("ref", ""),
        validate=Validation(content["validate"]),
    )


def _check(check: Mapping[str, Any]) -> Check:
    return Check(
        path=check["path"],
        status=check["status"],
        contains=check["contains"],
        headers=dict(check["headers"]),
        timeout=float(check["timeout"]),
    )


def normal(path: str) -> str:
    """A path without empty and `.` segments; `..` is left for the check that refuses it."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))
