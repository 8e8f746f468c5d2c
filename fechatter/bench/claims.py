"""The performance claims: the measurement of each, and whether the claim holds.

`claims.toml` in this folder lists them. Only `make claims` writes the measured values into it.
"""

from __future__ import annotations

import textwrap
import tomllib
from importlib.resources import files
from typing import Literal

import msgspec

Verdict = Literal["holds", "does not hold", "not built yet"]


class Claim(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One claim.

    Attributes:
        bench: the command that measures it.
        figure: its name in the results file.
        least, most: the bound to reach; each claim has one of the two.
        measured: the median of all rounds; `measured_least` and `measured_most` are their extremes. None: not measured.
        reason: why the claim does not hold, if it does not.
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

    def full_verdict(self) -> str:
        """The verdict, with the reason if the claim does not hold."""
        return f"{self.verdict}: {self.reason}" if self.verdict == "does not hold" else self.verdict

    def judge(self) -> Verdict:
        """Return the verdict for the measured value."""
        if self.measured is None:
            return "not built yet"
        enough = self.least is None or self.measured >= self.least
        return "holds" if enough and (self.most is None or self.measured <= self.most) else "does not hold"


class ClaimsFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All claims, and the source of the measured values."""

    results: str
    machine: str
    claim: list[Claim]


def read_claims() -> ClaimsFile:
    return msgspec.convert(
        tomllib.loads(files("fechatter.bench").joinpath("claims.toml").read_text(encoding="utf-8")), ClaimsFile
    )


def claims_text(claims: ClaimsFile) -> str:
    """Return the claims as text: one line per claim, and the reason in the next line."""
    width = max(len(claim.headline) for claim in claims.claim)
    lines = [f"measured: {claims.machine}", f"rounds and spread: {claims.results}", ""]
    for claim in claims.claim:
        lines.append(f"{claim.verdict:<13}  {claim.headline:<{width}}  {measured_text(claim):>14}  {claim.bench}")
        if claim.verdict == "does not hold":
            lines.append(f"{'':<13}    because {claim.reason}")
    return "\n".join(lines)


def claims_table(claims: ClaimsFile) -> str:
    """Return the claims as a table in Markdown."""
    lines = ["| headline | measured | | measured by |", "|---|---|---|---|"]
    for claim in claims.claim:
        lines.append(f"| {claim.headline} | {measured_text(claim)} | {claim.full_verdict()} | `{claim.bench}` |")
    return "\n".join([*lines, "", textwrap.fill(f"Measured on: {claims.machine}.", 120, break_on_hyphens=False), ""])


def measured_text(claim: Claim) -> str:
    """Return the measured value with its unit, or "" if there is none."""
    return "" if claim.measured is None else f"{_number(claim.measured)} {claim.unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"
