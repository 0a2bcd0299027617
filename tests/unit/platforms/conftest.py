"""The recording workspace, for the adapters."""

from __future__ import annotations

import pytest


@pytest.fixture
def space(monkeypatch):
    """A workspace that nobody waits for."""
    from workspace.server import Workspace

    from nextbest.platforms.databricks import monitors, online_store, serving

    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    for module in (monitors, online_store, serving):
        monkeypatch.setattr(module, "POLL_SECONDS", 0)
    opened = Workspace()
    yield opened
    opened.close()
