//! IP addresses and networks of them. `fechatter/canonical/networks.py` checks the networks of settings.

use std::fmt;
use std::net::IpAddr;

/// A network, such as `192.0.2.0/24` or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is not a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNetwork(pub String);

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is not a network", self.0)
    }
}

/// Reads the address of a peer, without its zone. An IPv4 client of an IPv6 socket has its IPv4 address.
#[must_use]
pub fn parse_address(text: &str) -> Option<IpAddr> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let address: IpAddr = address.parse().ok()?;
    let is_valid = zone.is_none_or(|zone| address.is_ipv6() && !zone.is_empty());
    is_valid.then(|| address.to_canonical())
}

impl Network {
    /// Reads a network.
    ///
    /// # Errors
    /// [`InvalidNetwork`]: the text is not a network.
    pub fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let most = width(address);
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| invalid())?;
        if bits > most { Err(invalid()) } else { Ok(Self { address, bits }) }
    }

    /// Whether the network contains the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.address) && (value(address) ^ value(self.address)) & self.mask() == 0
    }

    fn mask(&self) -> u128 {
        let shift = 128 - u32::from(self.bits);
        u128::MAX.checked_shl(shift).unwrap_or(0)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The bits of an address, from the left.
fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let address = parse_address(address).expect("the address is valid");
        Network::parse(network).expect("the network is valid").contains(address)
    }

    #[test]
    fn a_network_contains_its_addresses() {
        assert!(contains("192.0.2.0/24", "192.0.2.255") && !contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("192.0.2.7", "::ffff:192.0.2.7") && !contains("192.0.2.7", "192.0.2.8"));
        assert!(contains("2001:db8::/32", "2001:db8::1") && !contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("0.0.0.0/0", "203.0.113.1") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("fe80::/10", "fe80::1%eth0"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "a", "192.0.2.0/33", "192.0.2.0/", "192.0.2/24", "::/129", "::/-1"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
        for text in ["", "192.0.2.7%eth0", "fe80::1%", "[::1]", "192.0.2.07", " ::1", "192.0.2.7:80"] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }
}
