"""`dbb approve`: a judged version may be released, says somebody else than who had it judged."""

from __future__ import annotations

import argparse
import json

from nextbest.commands.releasing import open_place
from nextbest.errors import UsageError


def approve(args: argparse.Namespace) -> int:
    """Approve args.model args.version; 0 when it is approved.

    Raises NotApproved (exit code 1) without a verdict that passed, and for who had it judged.
    """
    if not args.version.isdigit():
        raise UsageError(f"version '{args.version}': it is a number")
    from nextbest.registry.approval import approve as approve_version

    place = open_place(args)
    model, who = place.settings.model, place.releases.who()
    what = approve_version(model, args.version, who)
    if args.json:
        told = {"model": model, "version": args.version, "approved_by": who, "verdict": what}
        print(json.dumps(told, indent=2))
    else:
        print(f"{model}: version {args.version} is approved by {who} (verdict of {what})")
        print(
            "deployment_job releases it when its run is repaired, or: "
            f"dbb run deployment_job -t {place.bundle.target} --params model_version={args.version}"
        )
    return 0
