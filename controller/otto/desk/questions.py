"""All questions there are, by their words on the wire."""

from collections.abc import Mapping
from typing import Any

from otto.desk.builds import BuildImages, CancelBuild, PruneImages, SeeBuild, SeeNeedless
from otto.desk.explaining import SeeWhy
from otto.desk.freezes import Freeze, SeeFreezesOfOtto, Thaw
from otto.desk.greeting import Greet
from otto.desk.hosts import SeeHosts
from otto.desk.images import Promote, RevokeImage, SeeGallery, SeeImage
from otto.desk.inspecting import Inspect, SeeAdoptable
from otto.desk.intents import Destroy, Resume, Suspend
from otto.desk.judging import Approve, Reject
from otto.desk.leeway import Extend, Override
from otto.desk.logs import SeeLog
from otto.desk.looking import LookAt
from otto.desk.notices import SeeWays, TryWays
from otto.desk.orphans import Reap, SeeOrphans
from otto.desk.pipelines import SeePipeline, SeePipelines, StartPipeline
from otto.desk.question import Question
from otto.desk.record import SeeAudit, WalkAudit
from otto.desk.runs import SeeRuns
from otto.desk.saying import SeeGrants
from otto.desk.sites import SeeNames, SeeProgress, SeeStatus
from otto.desk.steering import AbortRollout, PauseRollout, ResumeRollout, SeeRollout, UndoRollout
from otto.desk.tokens import CreateToken, RevokeToken, SeeTokens
from otto.desk.zones import Examine, InspectZone, ReadZone

QUESTIONS: Mapping[str, type[Question[Any]]] = {
    kind.word: kind
    for kind in (
        *(Greet, SeeStatus, SeeNames, SeeProgress, SeeWhy, Inspect, SeeRuns, SeeLog),
        *(SeeAudit, WalkAudit, SeeGrants, SeeHosts, SeeOrphans, SeeAdoptable),
        *(SeePipelines, SeePipeline, StartPipeline, LookAt, Suspend, Resume, Destroy, Reap),
        *(Approve, Reject, Freeze, Thaw, SeeFreezesOfOtto, Extend, Override),
        *(SeeRollout, PauseRollout, ResumeRollout, AbortRollout, UndoRollout),
        *(SeeGallery, SeeImage, Promote, RevokeImage, SeeWays, TryWays, SeeTokens, CreateToken, RevokeToken),
        *(BuildImages, SeeBuild, CancelBuild, SeeNeedless, PruneImages),
        *(InspectZone, Examine, ReadZone),
    )
}
