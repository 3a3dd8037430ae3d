"""What people call their homes, kept here whatever the home's source calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .context import Context

LONGEST_HOME_NAME: Final = 60


def is_home_name(value: str) -> bool:
    """Say whether a home can be called this: some characters on one line."""
    return 0 < len(value) <= LONGEST_HOME_NAME and value == value.strip() and value.isprintable()


def rename_home(context: Context, structure_id: str, name: str) -> None:
    """Call a home otherwise, from now on and after a restart."""
    context.store.accounts.name_home(structure_id, name)
    context.home.rename(structure_id, name)


def restore_names(context: Context) -> None:
    """Call the homes what they were called before the restart."""
    for structure_id, name in context.store.accounts.home_names().items():
        context.home.rename(structure_id, name)
