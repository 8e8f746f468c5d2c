"""The trial process of a certificate: only a refusal by the trial itself counts against the key."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fechatter.errors import StartError
from fechatter.process import trial
from fechatter.process.certificates import Certificate

pytestmark = pytest.mark.anyio
CERTIFICATE = Certificate(Path("chain.pem"), Path("key.pem"), b"")


def fake_trial(folder: Path, script: str) -> str:
    """Create a program that runs this script instead of a trial."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize("script", [f"exit {trial.REFUSED}", "kill -ABRT $$"])
async def test_a_trial_that_refuses_the_key_names_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(sys, "executable", fake_trial(tmp_path, script))
    with pytest.raises(StartError, match="does not support its kind of key"):
        await trial.try_out(CERTIFICATE)


@pytest.mark.parametrize("script", ["exit 1", "kill -KILL $$", "exit 127"])
async def test_a_trial_that_fails_for_another_reason_does_not_blame_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(sys, "executable", fake_trial(tmp_path, script))
    with pytest.raises(StartError, match="could not be tested: the trial ended with exit code"):
        await trial.try_out(CERTIFICATE)


async def test_a_trial_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", fake_trial(tmp_path, "exec sleep 600"))
    monkeypatch.setattr(trial, "TRIAL_SECONDS", 0.1)
    with pytest.raises(StartError, match="could not be tested: the trial took more than"):
        await trial.try_out(CERTIFICATE)
