"""Who let a version be released, of which verdict, and that it was not who had it judged."""

from __future__ import annotations

from nextbest.errors import DataError
from nextbest.registry.asking import asking, client

APPROVAL = "approval"  # tag that Databricks reads for a task of this name; APPROVED lets it pass
APPROVED = "approved"
BY, OF = "approval_by", "approval_of"
EVALUATOR = "verdict_by"


class NotApproved(DataError):
    """A version may not be released: nobody approved this verdict, or who gave it did."""


def tags_of(model: str, version: str) -> dict[str, str]:
    """The tags of a version; PlatformError where there is none."""
    with asking(f"{model} version {version}", f"EXECUTE on {model}"):
        return dict(client().get_model_version(model, version).tags)


def sign_verdict(model: str, version: str, who: str) -> None:
    """Write down who had a version judged."""
    with asking(f"tag of {model} version {version}", f"being the owner of {model}"):
        client().set_model_version_tag(model, version, EVALUATOR, who)


def signed(model: str, version: str) -> bool:
    """Whether it is known who had a version judged."""
    return bool(tags_of(model, version).get(EVALUATOR))


def approve(model: str, version: str, who: str) -> str:
    """Approve the verdict that a version has; what was approved, in words.

    Raises NotApproved where there is no verdict that passed, or `who` had it judged.
    """
    tags = tags_of(model, version)
    what = _passed(model, version, tags)
    _refuse_evaluator(model, version, tags, who)
    with asking(f"tag of {model} version {version}", f"being the owner of {model}"):
        for name, text in ((BY, who), (OF, what), (APPROVAL, APPROVED)):  # this lets it pass: last
            client().set_model_version_tag(model, version, name, text)
    return what


def approver(model: str, version: str) -> str:
    """Who approved the verdict that a version has.

    Raises NotApproved where nobody did, it was another verdict, or nobody knows who it was: a tag
    tells not who wrote it, so the button of the workspace alone is not enough.
    """
    tags = tags_of(model, version)
    what = _passed(model, version, tags)
    mend = f"somebody else than {tags[EVALUATOR]} runs `dbb approve {model} {version}`, then " \
           "repair this run"  # fmt: skip
    if tags.get(APPROVAL, "").lower() != APPROVED:
        raise NotApproved(f"{model} version {version} waits for approval: {mend}")
    if not tags.get(BY):
        raise NotApproved(
            f"{model} version {version} is approved, but by whom is not known (by hand, or by the "
            f"button of the workspace): {mend}"
        )
    if tags.get(OF) != what:
        raise NotApproved(
            f"{model} version {version}: {tags[BY]} approved another verdict ({tags.get(OF)}) than "
            f"there is now ({what}): {mend}"
        )
    _refuse_evaluator(model, version, tags, tags[BY])
    return tags[BY]


def _passed(model: str, version: str, tags: dict[str, str]) -> str:
    """What tells one verdict from another; NotApproved unless it passed, and is signed."""
    if tags.get("verdict_passed") != "true":
        told = tags.get("verdict", "it was never judged")
        raise NotApproved(f"{model} version {version} has no verdict that passed: {told}")
    if not tags.get(EVALUATOR):
        raise NotApproved(
            f"{model} version {version}: who had it judged is not known, so nobody can be told "
            "apart; run the task evaluation of deployment_job"
        )
    return f"{tags['verdict_as_of']} against {tags['verdict_against']} on {tags['verdict_holdout']}"


def _refuse_evaluator(model: str, version: str, tags: dict[str, str], who: str) -> None:
    if who == tags[EVALUATOR]:
        raise NotApproved(
            f"{model} version {version}: {who} had it judged, and so can't approve it; ask another"
        )
