"""How often one network address, and one link, may be asked for: generous to a worried customer, tight for guessing.

Links are stored only as hashes.
"""

import hashlib

from limits import RateLimitItem, RateLimitItemPerMinute

from app.windows import SharedWindows

VIEWS_OF_LINK = RateLimitItemPerMinute(90, namespace="pay-link-views")
VIEWS_OF_ADDRESS = RateLimitItemPerMinute(300, namespace="pay-address-views")
ACTS_ON_LINK = RateLimitItemPerMinute(12, namespace="pay-link-acts")
ACTS_OF_ADDRESS = RateLimitItemPerMinute(60, namespace="pay-address-acts")
WRONG_LINKS = RateLimitItemPerMinute(30, namespace="pay-wrong-links")


class PageThrottle(SharedWindows):
    """Counts visits."""

    def lets_in(self, address: str, token: str, *, acts: bool) -> bool:
        """Count one visit; False when the address, or the link, has been used too often in the last minute."""
        link = hashlib.sha256(token.encode()).hexdigest()
        of_link, of_address = (ACTS_ON_LINK, ACTS_OF_ADDRESS) if acts else (VIEWS_OF_LINK, VIEWS_OF_ADDRESS)
        return self._hit(of_link, link) and self._hit(of_address, address)

    def bears_wrong(self, address: str) -> bool:
        """Count a link that nobody signed; False for whoever tries many of them and so is guessing. Their good links
        go on working, and those of everybody behind the same address."""
        return self._hit(WRONG_LINKS, address)

    def _hit(self, item: RateLimitItem, key: str) -> bool:
        return self.count(lambda windows: windows.hit(item, key))
