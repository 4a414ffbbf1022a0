"""Makes the generated pages of `docs/reference` from what the program itself says."""

from generator import api, cli, events, exits, guard, metrics, output, settings, site_spec
from generator.page import Page

PAGES = (
    Page("reference/site-spec.md", "schemas/site.json", site_spec.render),
    Page("reference/domain-spec.md", "schemas/domain.json", site_spec.render_domain),
    Page("reference/tombstone.md", "schemas/tombstone.json", site_spec.render_tombstone),
    Page("reference/fleet-policy.md", "schemas/fleet-policy.json", site_spec.render_fleet_policy),
    Page("reference/guard-rules.md", "otto.decide.guard.RULES", guard.render),
    Page("reference/settings.md", "otto.config", settings.render),
    Page("reference/api.md", "the description of the API, otto.api", api.render),
    Page("reference/cli.md", "the application in otto.cli.main", cli.render),
    Page("reference/status-json.md", "schemas/output", output.render),
    Page("reference/metrics.md", "otto.telemetry.metrics", metrics.render),
    Page("reference/exit-status.md", "otto.cli.exits", exits.render),
    Page("reference/log-events.md", "every log call in controller/otto", events.render),
)
