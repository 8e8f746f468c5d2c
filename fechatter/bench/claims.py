"""The headlines of this kind of server, what was measured of each, and whether it holds.

`claims.toml` beside this file holds them; `make claims` writes the measured values into it, nobody else does.
"""

from __future__ import annotations

import textwrap
import tomllib
from importlib.resources import files
from typing import Literal

import msgspec

Verdict = Literal["holds", "does not hold", "not built yet"]


class Claim(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One headline.

    Attributes: bench: the command that measures it. figure: its name in the results file. bound: what is to be reached:
    at `least` or at `most` so much. measured: the median of all rounds, with the least and the most of them; None as
    long as there is nothing to measure. reason: why it does not hold, if it does not.
    """

    headline: str
    bench: str
    figure: str
    unit: str
    least: float | None = None
    most: float | None = None
    measured: float | None = None
    measured_least: float | None = None
    measured_most: float | None = None
    verdict: Verdict = "not built yet"
    reason: str = ""

    def told_verdict(self) -> str:
        """The verdict, with the reason where there must be one."""
        return f"{self.verdict}: {self.reason}" if self.verdict == "does not hold" else self.verdict

    def judged(self) -> Verdict:
        """What the measured value says."""
        if self.measured is None:
            return "not built yet"
        enough = self.least is None or self.measured >= self.least
        return "holds" if enough and (self.most is None or self.measured <= self.most) else "does not hold"


class ClaimsFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All headlines, and where the measured values come from."""

    results: str
    machine: str
    claim: list[Claim]


def read_claims() -> ClaimsFile:
    return msgspec.convert(tomllib.loads(files("fechatter.bench").joinpath("claims.toml").read_text(encoding="utf-8")), ClaimsFile)


def claims_text(claims: ClaimsFile) -> str:
    """For a terminal: a line a headline, its reason below."""
    width = max(len(claim.headline) for claim in claims.claim)
    lines = [f"measured: {claims.machine}", f"rounds and spread: {claims.results}", ""]
    for claim in claims.claim:
        lines.append(f"{claim.verdict:<13}  {claim.headline:<{width}}  {told(claim):>14}  {claim.bench}")
        if claim.verdict == "does not hold":
            lines.append(f"{'':<13}    because {claim.reason}")
    return "\n".join(lines)


def claims_table(claims: ClaimsFile) -> str:
    """The same as a table in Markdown."""
    lines = ["| headline | measured | | measured by |", "|---|---|---|---|"]
    for claim in claims.claim:
        lines.append(f"| {claim.headline} | {told(claim)} | {claim.told_verdict()} | `{claim.bench}` |")
    return "\n".join([*lines, "", textwrap.fill(f"Measured on: {claims.machine}.", 120, break_on_hyphens=False), ""])


def told(claim: Claim) -> str:
    """The measured value with its unit."""
    return "" if claim.measured is None else f"{_number(claim.measured)} {claim.unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"
