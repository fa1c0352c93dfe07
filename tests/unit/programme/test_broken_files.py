"""Broken programme files: each mistake is named with its line, field, code and reason."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents.findings import Finding, UnusableFileError
from services.programme.lint import lint_text
from services.programme.read import ProgrammeError, parse_programme, read_programme
from tests.unit.programme.harvest import TEXT, changed, line_of

BASE = "  - id: base\n    kind: points_on_spend\n"
BANK_PRICE = "  - id: bank-card-price\n    kind: card_discount\n"

# What is replaced, by what, a part of the line that is to be named, the field, the code, a part of the reason.
MISTAKES: dict[str, tuple[str, str, str, str, str, str]] = {
    "a field misspelt": ("  pending_days: 0", "  pending_day: 0", "pending_day: 0", "programme.pending_day", "unknown-field", "no such field"),
    "a field of a contract misspelt": ("settlement: daily", "setlement: daily", "setlement", "contracts[0].setlement", "unknown-field", ""),
    "a field of a price misspelt": ('issue: {price: "0.0100"', 'issue: {prise: "0.0100"', "prise", "contracts[0].issue.prise", "unknown-field", ""),
    "a field of a mechanic misspelt": ("    points: 1\n", "    point: 1\n", "    point: 1", "mechanics[0].point", "unknown-field", ""),
    "a condition misspelt": ("when: {except:", "when: {exept:", "when: {exept", "mechanics[0].when.exept", "unknown-field", ""),
    "Python's name of a field": ("    to: 2026-06-30", "    valid_to: 2026-06-30", "valid_to", "contracts[1].valid_to", "unknown-field", ""),
    "a field of another kind": ('    percent: "3"\n', '    percent: "3"\n    rows: [1]\n', "rows: [1]", "mechanics[3].rows", "unknown-field", ""),
    "a merge key": ("  - party: cafe", "  - <<: {}\n    party: cafe", "<<", "contracts[3].<<", "unknown-field", ""),
    "no cut-off": ('  cutoff: "02:00"\n', "", "programme:\n", "programme.cutoff", "missing-field", "is missing"),
    "no party in a contract": (
        "  - party: cafe\n    from",
        "  - from",
        "  - from: 2026-01-01\n    roles: [redeemer]",
        "contracts[3].party",
        "missing-field",
        "",
    ),
    "no kind": (BASE, "  - id: base\n", "  - id: base\n", "mechanics[0].kind", "missing-field", "is missing"),
    "no percent": ('    percent: "3"\n', "", BANK_PRICE, "mechanics[3].percent", "missing-field", ""),
    "no currency beside an amount": (
        'per: {amount: "1.00", currency: EUR}',
        'per: {amount: "1.00"}',
        "per: {",
        "mechanics[0].per.currency",
        "missing-field",
        "",
    ),
    "no share": ('{party: dairyco, share: "0.75"}', "{party: dairyco}", "{party: dairyco}", "mechanics[1].funding[0].share", "missing-field", ""),
    "an unknown kind of mechanic": ("kind: multiplier", "kind: multiplyer", "multiplyer", "mechanics[1].kind", "unknown-word", "multiplyer is not one of"),
    "an unknown kind of fee": ("kind: per_transaction", "kind: per_purchase", "per_purchase", "contracts[0].fees[0].kind", "unknown-word", ""),
    "an unknown kind of expiry": ("{kind: rolling, months: 24}", "{kind: roling, months: 24}", "roling", "programme.expiry.kind", "unknown-word", ""),
    "an unknown model": ("model: independent}", "model: indepedent}", "indepedent", "programme.operator.model", "unknown-word", "indepedent"),
    "an unknown role": ("roles: [issuer, redeemer]", "roles: [issuer, redemer]", "redemer]", "contracts[0].roles[1]", "unknown-word", ""),
    "a word of YAML 1.1 for a netting": ("netting: multilateral", "netting: off", "netting: off", "programme.netting", "unknown-word", "off is not one of"),
    "an unknown measure of a limit": (
        "limit: {times: 1, per: day}",
        "limit: {times: 1, per: week}",
        "per: week",
        "mechanics[2].limit.per",
        "unknown-word",
        "week",
    ),
    "a price without quotes": ('issue: {price: "0.0100"', "issue: {price: 0.0100", "{price: 0.0100", "contracts[0].issue.price", "bare-number", "float"),
    "a whole price without quotes": ('amount: "100.00"', "amount: 100", "amount: 100,", "contracts[0].fees[3].amount", "bare-number", "quotes"),
    "a percent without quotes": ('percent: "3"', "percent: 3", "percent: 3\n", "mechanics[3].percent", "bare-number", "quotes"),
    "a share without quotes": ('share: "0.75"', "share: 0.75", "share: 0.75", "mechanics[1].funding[0].share", "bare-number", "quotes"),
    "a factor in powers": ('factor: "2"', "factor: 2e0", "factor: 2e0", "mechanics[1].factor", "bare-number", "quotes"),
    "a list of limits with a number": (
        "limit: {times: 1, per: day}",
        "limit:\n      - {times: 1, per: day}\n      - {amount: 3.00, per: month}",
        "amount: 3.00",
        "mechanics[2].limit[1].amount",
        "bare-number",
        "quotes",
    ),
    "a fraction of a point": ("    points: 1\n", "    points: 1.5\n", "points: 1.5", "mechanics[0].points", "wrong-type", "whole number"),
    "points in quotes": ("    points: 1\n", '    points: "1"\n', 'points: "1"', "mechanics[0].points", "wrong-type", "whole number"),
    "a truth value for days": ("claim_days: 30 ", "claim_days: true ", "claim_days: true", "programme.claim_days", "wrong-type", "whole number"),
    "one partner without a list": ("partners: [grocer, fuelco]", "partners: grocer", "partners: grocer", "mechanics[0].partners", "wrong-type", "list"),
    "text for an operator": ("operator: {party: opco, model: independent}", "operator: opco", "operator: opco", "programme.operator", "wrong-type", "mapping"),
    "a number for a name": ("name: Grocer,", "name: 7,", "name: 7", "parties[1].name", "wrong-type", "text"),
    "nothing for a list": ("roles: [redeemer] ", "roles: ", "roles:   ", "contracts[3].roles", "wrong-type", "list"),
    "a negative price": ('price: "0.0085"', 'price: "-0.0085"', '"-0.0085"', "contracts[0].redeem.price", "wrong-value", "sign"),
    "a comma in a price": ('price: "0.0085"', 'price: "0,0085"', '"0,0085"', "contracts[0].redeem.price", "wrong-value", "decimal digits"),
    "a day that is none": ("    to: 2026-06-30", "    to: 2026-06-31", "2026-06-31", "contracts[1].to", "wrong-value", "2026-06-31 is not a day"),
    "a day with a time": ("    to: 2026-06-30", "    to: 2026-06-30T00:00:00", "T00:00:00", "contracts[1].to", "wrong-value", "must be a day"),
    "an unknown time zone": ("Europe/Berlin", "Europe/Bonn", "Europe/Bonn", "programme.timezone", "wrong-value", "time zone"),
    "an unknown currency": ("currencies: [EUR]", "currencies: [EUX]", "[EUX]", "programme.currencies[0]", "wrong-value", "ISO 4217"),
    "a cut-off that is no time": ('"02:00"', '"26:00"', '"26:00"', "programme.cutoff", "wrong-value", "time of day"),
    "an IBAN with spaces": ("DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "DE89 3704", "parties[0].account.iban", "wrong-value", "IBAN"),
    "hours that are no times": (
        "partners: [fuelco]",
        'partners: [fuelco]\n    for: {kinds: [""]}',
        'kinds: [""]',
        "mechanics[2].for.kinds[0]",
        "wrong-value",
        "",
    ),
    "decimals of points": ("decimals: 0}", "decimals: 2}", "decimals: 2", "programme.points.decimals", "wrong-value", "equal to 0"),
    "more places than the currency has": (
        'amount: "50.00"',
        'amount: "50.001"',
        "50.001",
        "mechanics[2].when.minimum.amount",
        "inconsistent",
        "decimal places",
    ),
    "an end before the beginning": (
        "    to: 2026-06-30",
        "    to: 2025-06-30",
        "  - party: fuelco\n    from",
        "contracts[1]",
        "inconsistent",
        "before the first",
    ),
    "a party that does not exist": (
        "partners: [grocer, fuelco]",
        "partners: [grocer, fuel]",
        "[grocer, fuel]",
        "mechanics[0].partners[1]",
        "inconsistent",
        "no party fuel",
    ),
    "a sponsor that does not exist": (
        "{party: dairyco, share",
        "{party: dairy, share",
        "{party: dairy,",
        "mechanics[1].funding[0].party",
        "inconsistent",
        "dairy",
    ),
    "shares that do not add up": ('share: "0.75"', 'share: "0.7"', "funding: [{party: dairyco", "mechanics[1].funding", "inconsistent", "0.95"),
    "two versions from one day": (
        "    from: 2026-07-01",
        "    from: 2026-01-01",
        'from: 2026-01-01\n    roles: [issuer, redeemer]\n    issue: {price: "0.0105"',
        "contracts[2].from",
        "inconsistent",
        "two contract versions",
    ),
    "a party twice": ("{id: cafe, kind", "{id: grocer, kind", "{id: grocer, kind: merchant, name: Cafe", "parties[3].id", "inconsistent", "twice"),
    "a base that comes later": ("of: [base]", "of: [later]", "of: [later]", "mechanics[1].of[0]", "inconsistent", "before it"),
    "due at issue in the independent model": (
        'due_at_issue: "1"',
        'due_at_issue: "0.5"',
        'due_at_issue: "0.5"',
        "contracts[0].due_at_issue",
        "inconsistent",
        "independent",
    ),
    "a currency that is not the programme's": (
        'issue: {price: "0.0095", currency: EUR}',
        'issue: {price: "0.0095", currency: CZK}',
        "CZK",
        "contracts[4].issue.currency",
        "inconsistent",
        "CZK",
    ),
    "a limit without a measure": (
        "limit: {times: 1, per: day}",
        "limit: {per: day}",
        "limit: {per: day}",
        "mechanics[2].limit",
        "inconsistent",
        "exactly one of",
    ),
    "an issuer without a price": (
        '    issue: {price: "0.0095", currency: EUR}\n',
        "",
        "  - party: dairyco\n    from",
        "contracts[4]",
        "inconsistent",
        "issue price",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_line_field_code_and_reason(mistake: str) -> None:
    old, new, marker, field, code, reason = MISTAKES[mistake]
    text = changed(old, new)

    findings = lint_text(text, "broken.yaml")

    named = [(finding.line, finding.field, finding.code) for finding in findings]
    assert (line_of(text, marker), field, code) in named, "\n".join(map(str, findings))
    (found,) = [finding for finding in findings if finding.field == field]
    assert reason in found.reason
    assert found.file == "broken.yaml"
    assert found.column is not None
    assert found.way_out


def test_there_are_fifty_mistakes_and_more() -> None:
    assert len(MISTAKES) >= 50


UNUSABLE: dict[str, tuple[bytes, str, int | None]] = {
    "a bracket that is not closed": (b"programme: {id: harvest\nparties: []\n", "not-yaml", 2),
    "a tab for indentation": (b"programme:\n\tid: harvest\n", "not-yaml", 2),
    "a quote that is not closed": (b'programme:\n  name: "Harvest\n', "not-yaml", 3),
    "two documents": (b"programme: {}\n---\nprogramme: {}\n", "not-yaml", 2),
    "a tag of Python": (b"programme: {}\nparties: !!python/object:os.system []\n", "not-yaml", 2),
    "an alias without an anchor": (b"programme: {}\nparties: *them\n", "not-yaml", 2),
    "a control character": (b"programme:\n  name: \x01\n", "not-yaml", 2),
    "a key twice": (b"programme:\n  id: one\n  id: two\n", "duplicate-key", 3),
    "a key twice in braces": (b"parties:\n  - {id: one, id: one}\n", "duplicate-key", 2),
    "a deep nest": (b"programme:\n  " + b"[" * 60, "too-deep", 2),
    "aliases of aliases": (
        b"a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)),
        "too-large",
        7,
    ),
    "nothing": (b"", "not-yaml", 1),
    "a list": (b"- programme\n", "wrong-type", 1),
    "a word": (b"programme\n", "wrong-type", 1),
    "Latin-1": ("programme:\n  name: Bäckerei\n".encode("latin-1"), "not-utf-8", 2),
    "UTF-16": ("programme: {}\n".encode("utf-16"), "not-utf-8", 1),
    "a scenario": (b"scenario: basics\nprogramme: {}\ndays: []\n", "scenario-file", None),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_cannot_be_read_is_named_with_line_and_code(kind: str, tmp_path: Path) -> None:
    content, code, line = UNUSABLE[kind]
    path = tmp_path / "harvest.yaml"
    path.write_bytes(content)

    with pytest.raises(UnusableFileError) as refused:
        read_programme(path)

    (finding,) = refused.value.findings
    assert (finding.code, finding.line) == (code, line), finding
    assert finding.file == str(path)
    assert finding.way_out


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(UnusableFileError) as refused:
            read_programme(path)
        assert [finding.code for finding in refused.value.findings] == ["unreadable"]


def test_everything_is_said_at_once_in_the_order_of_the_file() -> None:
    text = changed('price: "0.0100"', "price: 0.0100").replace("netting: multilateral", "netting: both").replace("kind: multiplier", "kind: multiply")

    with pytest.raises(ProgrammeError) as refused:
        parse_programme(text, "broken.yaml")

    assert [finding.code for finding in refused.value.findings] == ["unknown-word", "bare-number", "unknown-word"]
    lines = [finding.line or 0 for finding in refused.value.findings]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("  pending_days: 0", "  pending_day: 0", "did you mean pending_days?"),
        ("model: independent}", "model: indepedent}", "did you mean independent?"),
        ("kind: multiplier", "kind: multiplyer", "did you mean multiplier?"),
        ("when: {except:", "when: {exept:", "did you mean except?"),
        ("months: 24}", "months: 24, unheard_of: 1}", "fields that may stand here: kind, months"),
    ],
)
def test_what_was_probably_meant_is_named(old: str, new: str, meant: str) -> None:
    assert meant in {finding.way_out for finding in lint_text(changed(old, new), "broken.yaml")}


def test_a_value_that_several_forms_could_have_is_explained_once() -> None:
    text = changed("stamp_for: unit", "stamp_for: visit")

    (finding,) = lint_text(text, "broken.yaml")

    assert finding.line == line_of(text, "stamp_for: visit")
    assert "purchase, unit" in finding.reason
    assert "mapping" in finding.reason


def test_the_deeper_of_two_explanations_is_given() -> None:
    text = changed("stamp_for: unit", "stamp_for: {amount: 5.00}")

    (finding,) = lint_text(text, "broken.yaml")

    assert (finding.field, finding.code) == ("mechanics[4].stamp_for.amount", "bare-number")


def test_a_hundred_findings_are_enough() -> None:
    many = "\n".join(f"  - {{id: p{number}, kind: merchant}}" for number in range(300))

    findings = lint_text(changed("parties:\n", f"parties:\n{many}\n"), "broken.yaml")

    assert len(findings) == 100


def test_a_finding_is_a_line_that_editors_jump_to() -> None:
    finding = Finding("a.yaml", 3, 7, "programme.id", "wrong-value", "is too long", "shorten it")

    assert str(finding) == "a.yaml:3:7: error: programme.id: is too long [wrong-value]"


PIECES = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "&a ",
    "*a",
    "!!str ",
    "null",
    "1.5",
    "'",
    '"',
    "|",
    "#",
    "\t",
    "0x1",
    "\u2028",
    "{}",
    "[]",
    "true",
    "-1",
    ",",
    "kind: gift",
]


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 30), st.sampled_from(["", *PIECES])), min_size=1, max_size=4))
@settings(deadline=None)
def test_whatever_is_broken_is_found_and_nothing_else_happens(breaks: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for start, length, piece in breaks:
        text = text[:start] + piece + text[start + length :]

    try:
        findings = lint_text(text, "broken.yaml")
    except UnusableFileError as error:
        findings = error.findings

    assert all(finding.line is None or 1 <= finding.line <= text.count("\n") + 2 for finding in findings)
