"""A judged version on its way to champion, and the endpoint that follows the champion."""

from __future__ import annotations

import os
from collections.abc import Mapping

from nextbest import registry
from nextbest.platforms.releases import COMMIT, Releases
from nextbest.registry.promotion import follow
from nextbest.settings import Settings


def released(
    settings: Settings,
    releases: Releases,
    version: str,
    recorded: registry.Recorded,
    furthest: str,
    more: Mapping[str, str] | None = None,
) -> str:
    """Move the aliases after `candidate` up to `furthest`; how far the version came, in words.

    A version that was rolled back and has no newer evidence stays where it is. Raises
    PromotionLost where somebody else has moved an alias meanwhile.
    """
    wanted = registry.ALIASES[: registry.ALIASES.index(furthest) + 1]
    with releases.ledger.alone(settings.model):
        for before, alias in zip(wanted, wanted[1:], strict=False):
            try:
                registry.release(
                    releases, settings.model, version, alias, recorded,
                    from_alias=before, commit=os.environ.get(COMMIT), more=more,
                )  # fmt: skip
            except registry.NotReleased as error:
                return f"not released ({error})"
        if furthest == "champion":
            follow(releases, settings.model, settings.endpoint)
    return wanted[-1]
