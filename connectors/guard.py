"""Which network addresses a bank may have.

An administrator types the bank's address, and a name's owner decides where it leads.  Unless
allowed for the connection, neither may reach into the server's own network (SSRF, DNS rebinding).
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6052: an IPv4 address in the last four bytes, translated by the network (NAT64).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _innermost(address: Address) -> Address:
    """Unwrap IPv6 addresses that stand for an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address.teredo:
            return address.teredo[1]
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        # ::a.b.c.d, "IPv4-compatible" (RFC 4291, deprecated, but some stacks still route it)
        if 1 < int(address) <= 0xFFFFFFFF:
            return ipaddress.IPv4Address(int(address))
    return address


def permitted(text: str, *, allow_private: bool = False) -> bool:
    """Tell whether the numeric address `text` may be connected to.

    Without `allow_private` only globally routable unicast addresses are (IANA special-purpose
    registries, RFC 6890).  Multicast and the unspecified address never are.
    """
    address = _innermost(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_multicast or address.is_unspecified:
        return False
    return allow_private or (address.is_global and not address.is_reserved)
