"""Compare what the paper exchange sends with what the venue sent: the same fields, of the same types."""

from __future__ import annotations

from typing import Any

NUMBER = (int, float)


def differences(recorded: Any, ours: Any, *, left_out: frozenset[str] = frozenset(), path: str = "$") -> list[str]:
    """Return what the venue's payload has and ours has not, or has of another type. Lists are compared by first entries.

    left_out : fields that only some accounts, or older messages, have.
    """
    if isinstance(recorded, dict):
        if not isinstance(ours, dict):
            return [f"{path}: an object there, {type(ours).__name__} here"]
        found = [f"{path}.{name}: not sent" for name in recorded if name not in ours and name not in left_out]
        for name in recorded.keys() & ours.keys():
            found += differences(recorded[name], ours[name], left_out=left_out, path=f"{path}.{name}")
        return sorted(found)
    if isinstance(recorded, list):
        if not isinstance(ours, list):
            return [f"{path}: a list there, {type(ours).__name__} here"]
        return differences(recorded[0], ours[0], left_out=left_out, path=f"{path}[0]") if recorded and ours else []
    if recorded is None or ours is None or type(recorded) is type(ours):
        return []
    if isinstance(recorded, NUMBER) and isinstance(ours, NUMBER) and not isinstance(recorded, bool):
        return []
    return [f"{path}: {type(recorded).__name__} there, {type(ours).__name__} here"]
