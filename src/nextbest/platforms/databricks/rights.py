"""What somebody may do with a thing of Unity Catalog, themselves or by one of their groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nextbest.platforms.databricks.asking import look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.iam import User

EVERYBODY = "account users"  # a group that no user is told to be in


def groups_of(user: User) -> list[str]:
    """The groups by which a user may own things and hold privileges."""
    return [*(group.display for group in user.groups or () if group.display), EVERYBODY]


def lacking(
    workspace: WorkspaceClient, user: User, kind: str, name: str, needed: Iterable[str]
) -> list[str]:
    """Those of the needed privileges that neither the user nor a group of theirs holds.

    kind: catalog, schema or volume. Unity Catalog tells of one principal what that one was
    granted, here or above, and not by which groups it holds more.
    """
    missing = list(needed)
    for principal in (str(user.user_name), *groups_of(user)):
        held = _held(workspace, kind, name, principal)
        missing = [each for each in missing if not {each, "ALL_PRIVILEGES"} & held]
        if not missing:
            break
    return missing


def _held(workspace: WorkspaceClient, kind: str, name: str, principal: str) -> set[str]:
    """Privileges of one principal; none where the account has none of this name.

    Groups of a workspace, such as users and admins, are none of the account's. A page may be empty
    though others follow.
    """
    held: set[str] = set()
    token = None
    while True:
        page = look(
            lambda at=token: workspace.grants.get_effective(
                kind.upper(), name, principal=principal, max_results=0, page_token=at
            ),
            f"rights on {kind} {name}",
            f"BROWSE on {name}",
        )
        if page is None:
            return set()
        for assignment in page.privilege_assignments or ():
            held |= {each.privilege.value for each in assignment.privileges or () if each.privilege}
        token = page.next_page_token
        if not token:
            return held
