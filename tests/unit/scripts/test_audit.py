"""An audit that could ask nobody must not look like a good one."""

from scripts.audit import verdict

GOOD = {"name": "good", "version": "1.0", "vulns": []}
HOLED = {"name": "holed", "version": "1.0", "vulns": [{"id": "CVE-2020-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


def test_all_is_well_only_if_every_package_was_audited() -> None:
    assert verdict([GOOD])[0] == 0
    assert verdict([GOOD, UNKNOWN])[0] == 2
    assert verdict([])[0] == 2


def test_what_could_not_be_audited_is_said() -> None:
    said = "\n".join(verdict([GOOD, UNKNOWN])[1])

    assert "NOT AUDITED: 1 of 2 packages" in said
    assert "not found" in said


def test_a_hole_counts_more_than_what_is_not_known() -> None:
    status, said = verdict([HOLED, UNKNOWN])

    assert status == 1
    assert said[0] == "holed 1.0: CVE-2020-1, mended in 1.1"
