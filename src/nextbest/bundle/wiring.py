"""A widget that nothing fills: the parameter it was meant to have, if that can be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nextbest.bundle.graph import Edit
from nextbest.bundle.spelling import nearest
from nextbest.bundle.yaml_source import Node


def served(
    widget: str,
    job: Node,
    order: Sequence[str],
    variables: Collection[str],
    unread: Collection[str],
) -> Edit | None:
    """The edit that fills a widget, or None where it would be a guess.

    A parameter of `unread`, which no task reads, that is spelled nearly like it gets its name. Else
    the job gets a parameter with the value of the bundle's variable of that name, if `variables`
    have it, among its other parameters in the `order` in which the notebook reads them.
    """
    parameters = {item.text("name"): item for item in job.items("parameters")}
    missing = [name for name in order if name not in parameters]
    name = nearest(widget, unread)
    if name is not None and nearest(name, missing) == widget:
        return Edit("value", parameters[name].data["name"].location, name, widget)
    if widget not in variables:
        return None
    value = f"${{var.{widget}}}"
    place = order.index(widget)
    above = [each for each in order[:place] if each in parameters]
    below = [each for each in order[place:] if each in parameters]
    if above or (parameters and not below):
        beside = parameters[above[-1] if above else list(parameters)[-1]]
        return Edit("below", beside.location, widget, value)
    if below:
        return Edit("above", parameters[below[0]].location, widget, value)
    if job.at("parameters") is not None:
        return None  # a list without elements shows no place
    new = f"  - name: {widget}\n    default: {value}\n"
    after = ("name", "description", "schedule", "trigger", "continuous")
    return Edit("entry", job.location, "parameters", new, after)
