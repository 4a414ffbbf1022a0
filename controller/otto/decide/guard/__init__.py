"""Whether a plan may be carried out. Pure: whatever it takes into account is handed in.

Rules are data with names; each looks at a case and yields reasons. The strictest reason makes the verdict;
the rest is told beside it, so that people see all that stands in the way at once.
"""

from otto.decide.guard.catalogue import RULES
from otto.decide.guard.judge import conclude, findings, judge, taken
from otto.decide.guard.rule import Rule

__all__ = ["RULES", "Rule", "conclude", "findings", "judge", "taken"]
