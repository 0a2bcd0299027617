"""A widget that nothing fills: the parameter it was meant to have, if that can be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from nextbest.bundle.graph import Edit
from nextbest.bundle.yaml_source import Node


class Wiring(NamedTuple):
    """What can serve the widgets of one notebook."""

    job: Node
    order: Sequence[str]  # widgets the notebook reads, in its order
    variables: Collection[str]  # of the bundle
    unread: Collection[str]  # parameters of the job that no task reads


def served(widget: str, wiring: Wiring) -> Edit | None:
    """The edit that fills a widget, or None where it would be a guess.

    A parameter that nobody reads and that is spelled nearly like it gets its name. Else the job
    gets a parameter with the value of the bundle variable of that name, among its other parameters
    in the order in which the notebook reads them.
    """
    from nextbest.bundle.spelling import nearest  # only for findings

    parameters = {item.text("name"): item for item in wiring.job.items("parameters")}
    missing = [name for name in wiring.order if name not in parameters]
    name = nearest(widget, wiring.unread)
    if name is not None and nearest(name, missing) == widget:
        return Edit("value", parameters[name].data["name"].location, name, widget)
    if widget not in wiring.variables:
        return None
    value = f"${{var.{widget}}}"
    place = wiring.order.index(widget)
    above = [each for each in wiring.order[:place] if each in parameters]
    below = [each for each in wiring.order[place:] if each in parameters]
    if above:
        return Edit("below", parameters[above[-1]].location, widget, value)
    if below:
        return Edit("above", parameters[below[0]].location, widget, value)
    if parameters:
        return Edit("below", list(parameters.values())[-1].location, widget, value)
    if wiring.job.at("parameters") is not None:
        return None  # a list without elements shows no place
    new = f"  - name: {widget}\n    default: {value}\n"
    after = ("name", "description", "schedule", "trigger", "continuous")
    return Edit("entry", wiring.job.location, "parameters", new, after)
