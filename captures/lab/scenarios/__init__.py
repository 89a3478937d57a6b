"""The scenarios: what is done in each, what it proves, and which rows of expected leases it shows."""

from scenarios import documentation, load_balancing

SCENARIOS = {
    scenario.slug: scenario
    for family in (documentation, load_balancing)
    for scenario in family.SCENARIOS
}
