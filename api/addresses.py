"""Addresses (来源地址): where a request comes from, as far as that can be believed."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from flask import request

from api.parts import settings

#: What one customer of a network has of IPv6, and chooses from at will.
_OF_ONE = 64


def come_from() -> str:
    """Where the request comes from: who has connected, or whom the outermost of our own proxies has seen (`ONETHING_PROXIES`).

    Of an IPv6 address the network, for within it everybody takes another one whenever they like.
    """
    peer, proxies = request.remote_addr or "", settings().proxies
    noted = [each.strip() for line in request.headers.getlist("X-Forwarded-For") for each in line.split(",")]
    seen = _read(noted[-proxies]) if 0 < proxies <= len(noted) else None
    address = seen or _read(peer)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _OF_ONE), strict=False))
    return str(address or "")


def _read(written: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(written)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
