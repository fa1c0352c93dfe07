"""`clh verify`: proves an export from itself and a public key. No database, no network, no clock.

Each step says what it found; nothing that stands in the file can raise. Whatever was changed, the file of the archive is named, and the entry where that
can be told: each line of `entries.jsonl` carries the hash of its leaf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clearing.entries import Code
from clearing.merkle import climb
from clearing.seal import HEAD_CONTEXT, MANIFEST_CONTEXT, canonical, party_leaf, ranged, sha256
from clearing.sealed_lines import Key, operator_of, without_line, wrong_lines
from services.runtime.progress import Progress, silent
from services.seal.bodies import anything, unhex
from services.seal.container import CHAIN, ENTRIES, MANIFEST, MEMBERS, PROOF, RESULT, SIGNATURE, STATEMENT, Archive, take_apart
from services.seal.export import statement
from services.seal.files import Link, Manifest, Proof, read_as
from services.seal.keys import signed_by
from services.seal.verdict import UNUSABLE, Problem, Verdict
from services.seal.verify_entries import Entries, read_entries
from services.seal.verify_result import wrong_result

WRITTEN = re.compile(rb"([0-9a-f]{64}) ([0-9a-f]{128})\n")
"""The signature: the hash of the manifest, so that it can be told which of the two was changed, and the signature of it."""


def verify(path: Path, keys: Mapping[str, bytes], *, known_head: str | None = None, progress: Progress = silent) -> Verdict:
    """Verifies an export. `keys`: public keys of the house by their ids, from elsewhere; `known_head`: the hash of a head that was told before."""
    verdict = Verdict()
    with path.open("rb") as file:
        archive = take_apart(file)
        for name, what in archive.damaged:
            verdict.wrong(name, what)
        if not archive.damaged:  # what is inside could not be told from what was put around it
            _Verifying(archive, keys, verdict, progress).all(known_head)
    return verdict


class _Verifying:
    """The steps, in their order."""

    def __init__(self, archive: Archive, keys: Mapping[str, bytes], verdict: Verdict, progress: Progress) -> None:
        self.archive = archive
        self.keys = keys
        self.verdict = verdict
        self.progress = progress
        self.head: dict[str, Any] = {}  # of the window's entries
        self.settled: dict[str, Any] | None = None  # of its result
        self.manifest: dict[str, Any] = {}
        self.entries = Entries()

    def all(self, known_head: str | None) -> None:
        """Every step; one that cannot be made says so, and the others are made."""
        for file, step in (
            (MANIFEST, self._manifest),
            (CHAIN, lambda: self._chain(known_head)),
            (ENTRIES, self._entries),
            (PROOF, self._proof),
            (STATEMENT, self._statement),
            (ENTRIES, self._follows),
            (RESULT, self._result),
        ):
            try:
                step()
            except UNUSABLE as error:
                self.verdict.wrong(file, f"it cannot be read as what it should be ({type(error).__name__})")

    def _parsed(self, name: str) -> Any:
        content = self.archive.content(name)
        value = anything(content)
        if canonical(value) != content:
            self.verdict.wrong(name, "it is not in the one form that its content has")
        return value

    def _manifest(self) -> None:
        """The manifest is signed, and the other files have the bytes that it names."""
        text = self.archive.content(MANIFEST)
        found = WRITTEN.fullmatch(self.archive.content(SIGNATURE))
        if found is None:
            self.verdict.wrong(SIGNATURE, "it is not written as a signature is")
        manifest = self.manifest = self._parsed(MANIFEST)
        read_as(Manifest, manifest)
        key = manifest["key"]
        if key not in self.keys:
            self.verdict.wrong(MANIFEST, f"it is signed with key {key}, which is none of the house's keys that were given")
        elif found is not None:
            own = found[1].decode() == sha256(text)
            if not signed_by(self.keys, key, bytes.fromhex(found[2].decode()), MANIFEST_CONTEXT + text):
                self.verdict.wrong(SIGNATURE if own else MANIFEST, "the signature of the manifest does not hold")
            elif not own:
                self.verdict.wrong(SIGNATURE, "it names another hash than that of the manifest")
        self.verdict.programme, self.verdict.window, self.verdict.party = manifest["programme"], manifest["window"], manifest["party"]
        for name in MEMBERS[2:]:
            if manifest["files"][name] != {"bytes": self.archive.members[name].size, "sha256": self.archive.sha256(name)}:
                self.verdict.wrong(name, "its bytes are not those that the manifest names")
        if set(manifest["files"]) != set(MEMBERS[2:]):
            self.verdict.wrong(MANIFEST, "it names other files than those of an export")

    def _chain(self, known_head: str | None) -> None:
        """Every head is signed, names the one before it, and the last is the one of the manifest: of the window, or of its result with that before it."""
        previous, number, known = None, 0, known_head is None
        last: dict[str, Any] = {}
        for line in self.archive.lines(CHAIN):
            number += 1
            link = anything(line)
            read_as(Link, link)
            head, text = link["head"], canonical(link["head"])
            if canonical(link) != line:
                self.verdict.wrong(CHAIN, "it is not in the one form that its content has", f"head {number}")
            if not signed_by(self.keys, str(head["key"]), unhex(link["signature"]), HEAD_CONTEXT + text):
                self.verdict.wrong(CHAIN, f"its signature by key {head['key']} does not hold", f"head {number}")
            if (head["format"], head["number"], head["previous"], head["programme"]) != (1, number, previous, self.verdict.programme):
                self.verdict.wrong(CHAIN, "it does not follow from the head before it", f"head {number}")
            last, previous = head, sha256(text)
            if "signatures" not in head and head["window"] == self.verdict.window:
                self.head = head
            known = known or previous == known_head
        self.verdict.heads, self.verdict.head_sha256 = number, previous
        if not self.archive.ends_with_newline(CHAIN):
            self.verdict.wrong(CHAIN, "its last line has no end")
        if not known:
            self.verdict.wrong(CHAIN, f"the head {known_head}, which was told before, is not in it")
        if (previous, last.get("window")) != (self.manifest.get("head_sha256"), self.verdict.window):
            self.verdict.wrong(CHAIN, "its last head is not that of the manifest")
        if "signatures" in last:
            self.settled = last
        elif last is not self.head:
            self.verdict.wrong(CHAIN, "its last head is not that of the window")

    def _entries(self) -> None:
        """Each leaf is what its hash says, and they stand in their order; their trees are built."""
        read_entries(self.archive, self.entries, self.verdict, self.progress)

    def _proof(self) -> None:
        """Each party's tree is in the root that was signed, at a place of its own; its run is the one of the head."""
        proof: Proof = read_as(Proof, self._parsed(PROOF))
        paths, party, root = proof.paths, self.verdict.party, unhex(self.head["root"])
        if set(paths) != set(self.entries.roots):
            self.verdict.wrong(PROOF, "it proves other parties than those whose entries are there")
        if party not in self.entries.roots or len(self.entries.roots) not in (1, self.head["parties"]):
            self.verdict.wrong(ENTRIES, f"they are neither all entries of {party} nor all of the window")
        run = {"window": self.head["window"], **self.head["run"]}
        for name, top in self.entries.roots.items():
            reached = climb(party_leaf(name, top), paths[name].index, self.head["parties"], paths[name].beside(), ranged)
            if reached.hash != root:
                self.verdict.wrong(ENTRIES, f"the entries of {name} are not those that were sealed, or {PROOF} is another's")
            if self.entries.runs.get(name) != [run]:
                self.verdict.wrong(ENTRIES, f"the run of {name} is not that of the head")

    def _statement(self) -> None:
        """The statement is the one that follows from the sealed lines."""
        stated, party = self._parsed(STATEMENT), str(self.verdict.party)
        expected = statement(self.head, party, self.entries.lines.get(party, {}).values())
        if canonical(stated) != canonical(expected):
            self.verdict.wrong(STATEMENT, "it does not follow from the sealed lines" + _difference(stated, expected))

    def _result(self) -> None:
        """Once the window is settled: who signed its run, and what was paid, are what was sealed."""
        for what in wrong_result(self._parsed(RESULT), self.head, self.settled, list(self.entries.roots)):
            self.verdict.wrong(RESULT, what)
        self.verdict.settled = self.settled is not None

    def _follows(self) -> None:
        """Lines follow from entries; where both sides of a line are there, they are the same, and positions add up to zero."""
        shown = {number: line for lines in self.entries.lines.values() for number, line in lines.items()}
        operator = self.verdict.party if len(self.entries.roots) > 1 else operator_of(shown)
        for party in self.entries.roots:
            lines = self.entries.lines.get(party, {})
            for wrong in wrong_lines(party, lines, self.entries.totals, shown, operator, self.entries.events):
                self.verdict.wrong(ENTRIES, wrong.why, f"{party} line {wrong.line}")
            for key, fault in without_line(party, lines, self.entries.totals):
                if fault:
                    self.verdict.wrong(ENTRIES, f"no line is there for what was booked as {_total(key)}", f"{party} lines")
                else:
                    self.verdict.notes.append(
                        f"{party} has no line for what was booked as {_total(key)}: its contract says whether that has a price; this export cannot tell"
                    )
        if len(self.entries.roots) > 1:
            self.verdict.add(*(Problem(ENTRIES, what, entry) for what, entry in self._two_sides()))

    def _two_sides(self) -> Iterator[tuple[str, str]]:
        net: dict[str, int] = {}
        for party, lines in self.entries.lines.items():
            for number, line in lines.items():
                other = line["debtor"] if line["creditor"] == party else line["creditor"]
                if self.entries.lines.get(other, {}).get(number) != line:
                    yield f"{other} has another line of that number, or none", f"{party} line {number}"
                net[line["currency"]] = net.get(line["currency"], 0) + (line["amount_minor"] if line["creditor"] == party else -line["amount_minor"])
        for currency, minor in net.items():
            if minor:
                yield f"positions in {currency} add up to {minor}", "all lines"
        for (party, key), total in self.entries.totals.items():
            other = key.counterparty if party == key.sponsor else key.sponsor
            if other is not None and self.entries.totals.get((other, key)) != total:
                yield f"{party} and {other} have other entries of {_total(key)}", f"{party} entries"


def _total(key: Key) -> str:
    """A total in words: what was booked, in which unit, whose it is, and with whom, each with the contract."""
    words = Code(key.code).name.lower().replace("_", " ") if key.code in set(Code) else f"code {key.code}"
    sides = ((" of sponsor", key.sponsor, key.contract), (" with counterparty", key.counterparty, key.counter_contract))
    told = (f"{role} {party}" + (f" (contract {contract})" if contract else "") for role, party, contract in sides if party is not None)
    return f"{words} in {key.unit}" + "".join(told)


def _difference(stated: Any, expected: Mapping[str, Any]) -> str:
    if not isinstance(stated, dict):
        return ""
    if names := [name for name in expected if name != "lines" and stated.get(name) != expected[name]]:
        return f": {', '.join(names)}"
    lines = stated.get("lines", [])
    for number, line in enumerate(expected["lines"]):
        if number >= len(lines) or lines[number] != line:
            return f": line {line['line']}"
    return f": {len(lines)} lines, sealed are {len(expected['lines'])}"
