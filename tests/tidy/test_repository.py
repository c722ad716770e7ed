"""The repository keeps its own rules."""

from __future__ import annotations

import pytest

from tests.tidy.rules_code import CODE_RULES
from tests.tidy.rules_layout import LAYOUT_RULES, orphan
from tests.tidy.source import ROOT, Rule, check, exceptions, load, package_sources, report, rule_name

RULES = (*CODE_RULES, *LAYOUT_RULES)


@pytest.mark.parametrize("rule", RULES, ids=rule_name)
def test_the_package_keeps_the_rule(rule: Rule) -> None:
    """Among them: nothing public is a stub (H1.7), and no memory is used unfilled (H3.25)."""
    findings = [finding for source in package_sources() for finding in check(rule, source)]
    assert not findings, f"{len(findings)} findings\n{report(findings)}"


def test_every_exception_names_a_rule_gives_a_reason_and_excuses_something() -> None:
    findings = []
    for source in package_sources():
        for rule in RULES:
            list(check(rule, source))
        findings += exceptions(source, RULES)
    assert not findings, f"{len(findings)} findings\n{report(findings)}"


def test_every_unit_test_file_belongs_to_a_module() -> None:
    files = [load(path) for path in sorted((ROOT / "tests" / "unit").rglob("test_*.py"))]
    findings = [finding for source in files for finding in check(orphan, source)]
    assert not findings, f"{len(findings)} findings\n{report(findings)}"
