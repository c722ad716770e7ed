"""Listen keys of the futures' user data stream.

Source: Binance USD-M "User Data Streams": a key is valid for 60 minutes, creating it again gives the same key and
extends it.
"""

from __future__ import annotations

import hashlib
from typing import Final

from queuefront.core.clock import NS_PER
from queuefront.paper.errors import refusal

__all__ = ["ListenKeys"]

LIFE_NS: Final = 3600 * NS_PER["s"]


class ListenKeys:
    """The listen keys that live, by API key."""

    def __init__(self) -> None:
        self._by_api_key: dict[str, str] = {}
        self._until_ns: dict[str, int] = {}
        self._count = 0

    def create(self, api_key: str, now_ns: int) -> str:
        """Return the listen key of an API key, and let it live for another hour."""
        key = self._by_api_key.get(api_key)
        if key is None or key not in self._until_ns:
            self._count += 1
            # A key looks like the venue's and says nothing; the count makes every one different.
            key = hashlib.sha256(f"{api_key}/{self._count}".encode()).hexdigest()
            self._by_api_key[api_key] = key
        self._until_ns[key] = now_ns + LIFE_NS
        return key

    def extend(self, api_key: str, now_ns: int) -> str:
        """Let the listen key of an API key live for another hour. Raises the venue's refusal where there is none."""
        key = self._by_api_key.get(api_key)
        if key is None or key not in self._until_ns:
            raise refusal("listen key")
        self._until_ns[key] = now_ns + LIFE_NS
        return key

    def close(self, api_key: str) -> str | None:
        """Forget the listen key of an API key; return it."""
        key = self._by_api_key.pop(api_key, None)
        if key is not None:
            self._until_ns.pop(key, None)
        return key

    def is_alive(self, key: str) -> bool:
        """Whether a listen key is known and has not expired."""
        return key in self._until_ns

    def expire(self, now_ns: int, *, all_of_them: bool = False) -> list[str]:
        """Forget the listen keys whose time is over, or all; return them."""
        gone = [key for key, until_ns in self._until_ns.items() if all_of_them or until_ns <= now_ns]
        for key in gone:
            del self._until_ns[key]
        return gone
