"""IP addresses and networks in one form. Every address is normalised here before it is compared.

An IPv6 socket shows an IPv4 client as `::ffff:192.0.2.1`. That is the same client, so it becomes `192.0.2.1`.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

IPV6_CLIENT_BITS = 64
"""One customer has at least a network of this size in IPv6, so its addresses count as one client."""
_MAPPED_BITS = 96
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_NOBODY_V4 = (ipaddress.IPv4Network("0.0.0.0/8"), ipaddress.IPv4Network("255.255.255.255/32"))


def parse_address(text: str) -> Address | None:
    """Return the address, or None if the text is not an address."""
    try:
        return _unmapped(ipaddress.ip_address(text))
    except ValueError:
        return None


def parse_network(text: str) -> Network:
    """Parse a network such as `10.0.0.0/8`, or a single address. Bits after the prefix are dropped.

    Raises:
        ValueError: the text is not a network, or no client can ever have an address in it.
    """
    try:
        interface = ipaddress.ip_interface(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address or a network, as in 10.0.0.0/8") from error
    network = _unmapped_network(interface)
    if network is None or _has_no_clients(network, text):
        raise ValueError(f"{text!r} can never match: no client has such an address")
    return network


def client_network(text: str) -> str:
    """Return what counts as one client: an IPv4 address or an IPv6 /64 network. Any other text is returned
    unchanged."""
    found = parse_address(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(found), IPV6_CLIENT_BITS), strict=False))
    return text if found is None else str(found)


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def _unmapped_network(interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> Network | None:
    """Return None for a mapped address whose prefix ends before the IPv4 address begins."""
    mapped = interface.ip.ipv4_mapped if isinstance(interface, ipaddress.IPv6Interface) else None
    if mapped is None:
        return interface.network
    bits = interface.network.prefixlen - _MAPPED_BITS
    return None if bits < 0 else ipaddress.ip_network((int(mapped), bits), strict=False)


def _has_no_clients(network: Network, text: str) -> bool:
    """Whether no connection can come from this network."""
    if "%" in text or network.is_multicast:
        return True
    if isinstance(network, ipaddress.IPv4Network):
        return any(network.subnet_of(nobody) for nobody in _NOBODY_V4)
    # Addresses such as ::127.0.0.1 were meant to be ::ffff:127.0.0.1.
    return network.subnet_of(_COMPATIBLE) and ipaddress.IPv6Address("::1") not in network
