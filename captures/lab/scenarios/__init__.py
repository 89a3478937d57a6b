"""The scenarios: what is done in each, what it proves, and which rows of expected leases it shows."""

from scenarios import documentation, hot_standby, load_balancing, operator, relayed, trouble, versions

SCENARIOS = {
    scenario.slug: scenario
    for family in (documentation, load_balancing, hot_standby, operator, relayed, trouble, versions)
    for scenario in family.SCENARIOS
}
