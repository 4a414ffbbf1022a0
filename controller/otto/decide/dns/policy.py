"""The policy of a zone as the guard reads policies."""

from otto.model.difference import Layer
from otto.model.domain import DomainPolicy
from otto.model.policy import DriftPolicy, Handling, Policy, RecordShares


def as_policy(policy: DomainPolicy) -> Policy:
    """What OttO may do to a zone by itself, in the terms of a site's policy."""
    handling = Handling(policy.drift)
    layers = {} if handling is Handling.REPAIR else {Layer.DNS.value: handling}
    return Policy(
        approval=policy.approval,
        approvers=policy.approvers,
        approval_expiry=policy.approval_expiry,
        protect=policy.protect,
        limits=policy.limits,
        windows=policy.windows,
        drift=DriftPolicy(layers=layers),
        records=RecordShares(policy.update_share, policy.delete_share),
    )
