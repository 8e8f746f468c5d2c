//! Tests of headers that name the client.

use super::*;

const CLIENT: &str = "203.0.113.9";
const OTHER: &str = "198.51.100.66";
const PROXY: &str = "10.0.0.1";

fn proxies(headers: Headers) -> TrustedProxies {
    let proxies = ["10.0.0.0/8", "2001:db8:1::/48"].map(str::to_owned);
    TrustedProxies::parse(&proxies, headers).expect("the networks are valid")
}

fn found(headers: Headers, peer: &str, lines: &[(&str, &str)]) -> (String, Option<bool>) {
    let lines = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let lines: Vec<_> = lines.collect();
    let client = proxies(headers).client(peer, lines.into_iter());
    (client.address.into_owned(), client.is_secure)
}

fn by_forwarded(lines: &[&str]) -> (String, Option<bool>) {
    let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
    found(Headers::Forwarded, PROXY, &lines)
}

#[test]
fn the_nearest_address_that_is_not_a_proxy_is_the_client() {
    let seen = |peer, line| found(Headers::XForwarded, peer, &[("x-forwarded-for", line)]).0;
    assert_eq!(seen(PROXY, "198.51.100.66, 203.0.113.9, 10.0.0.2,10.1.2.3"), CLIENT);
    assert_eq!(seen("::ffff:10.0.0.1", "::ffff:203.0.113.9"), CLIENT);
    assert_eq!(seen("2001:db8:1::1", "[2001:db8:9::1]:443"), "2001:db8:9::1");
    assert_eq!(seen(CLIENT, OTHER), CLIENT);
    assert_eq!(seen("somewhere", OTHER), "somewhere");
    assert_eq!(seen("fe80::1%eth0", OTHER), "fe80::1%eth0");
    assert_eq!(seen(PROXY, "198.51.100.66, fe80::1%eth0"), PROXY);
}

#[test]
fn a_unix_socket_is_trusted_only_by_its_name() {
    let lines = || [(&b"x-forwarded-for"[..], CLIENT.as_bytes())].into_iter();
    let unix = TrustedProxies::parse(&[UNIX.to_owned()], Headers::XForwarded).expect("the name is valid");
    assert_eq!(unix.client("", lines()).address, CLIENT);
    assert_eq!(unix.client("", std::iter::empty()).address, "");
    assert_eq!(unix.client(PROXY, lines()).address, PROXY);
    assert_eq!(unix.client("somewhere", lines()).address, "somewhere");
    assert_eq!(proxies(Headers::XForwarded).client("", lines()).address, "");
}

#[test]
fn headers_have_the_names_of_the_settings() {
    let named = ["x-forwarded", "forwarded", "X-Forwarded", ""].map(Headers::named);
    assert_eq!(named, [Some(Headers::XForwarded), Some(Headers::Forwarded), None, None]);
}

#[test]
fn only_the_headers_of_the_setting_count() {
    let both = [("x-forwarded-for", OTHER), ("forwarded", "for=203.0.113.9;proto=https")];
    assert_eq!(found(Headers::Forwarded, PROXY, &both), (CLIENT.to_owned(), Some(true)));
    assert_eq!(found(Headers::XForwarded, PROXY, &both), (OTHER.to_owned(), None));
    for headers in [Headers::Forwarded, Headers::XForwarded] {
        assert_eq!(found(headers, CLIENT, &both), (CLIENT.to_owned(), None));
    }
}

#[test]
fn forwarded_names_an_address_in_each_of_its_forms() {
    for (line, client) in [
        ("for=203.0.113.9", CLIENT),
        ("For=\"203.0.113.9:4711\"", CLIENT),
        ("for=203.0.113.9:4711", CLIENT),
        ("for=\"[2001:db8:9::1]:4711\"", "2001:db8:9::1"),
        ("for=\"[2001:db8:9::1]\"", "2001:db8:9::1"),
        ("for=[2001:db8:9::1]", "2001:db8:9::1"),
        ("for=\"2001:db8:9::1\"", "2001:db8:9::1"),
        ("for=\"\\203.0.113.\\9\"", CLIENT),
        ("by=10.0.0.2;host=\"a,b;c\" ; for=203.0.113.9", CLIENT),
        ("for=198.51.100.66, for=203.0.113.9;by=10.0.0.3, for=10.0.0.2", CLIENT),
        ("for=198.51.100.66,\tfor=\"::ffff:203.0.113.9\"", CLIENT),
    ] {
        assert_eq!(by_forwarded(&[line]).0, client, "{line}");
    }
    assert_eq!(by_forwarded(&["for=198.51.100.66", "for=203.0.113.9", "for=10.0.0.2"]).0, CLIENT);
}

#[test]
fn a_hidden_or_malformed_name_leaves_the_proxy_that_added_it() {
    for hidden in ["for=unknown", "for=_hidden", "for=\"_a:b\"", "by=10.0.0.2", "", "for=\"\"", "for=10.0.0.1.2"] {
        assert_eq!(by_forwarded(&[hidden]).0, PROXY, "{hidden}");
        assert_eq!(by_forwarded(&[&format!("for=198.51.100.66, {hidden}, for=10.0.0.9")]).0, "10.0.0.9", "{hidden}");
        assert_eq!(by_forwarded(&["for=198.51.100.66", hidden, "for=10.0.0.9"]).0, "10.0.0.9", "{hidden}");
    }
    for malformed in
        ["for", "for=", "=a", "for=1;for=2", "for=\"", "for=\"\\", "for=\"a\"b", "for a", "for=a b", "\u{0}"]
    {
        assert_eq!(by_forwarded(&[malformed]).0, PROXY, "{malformed}");
        assert_eq!(by_forwarded(&[&format!("{malformed}, for=203.0.113.9")]).0, PROXY, "{malformed}");
        // A proxy that writes a line of its own is not affected by the client's.
        assert_eq!(by_forwarded(&[malformed, "for=203.0.113.9"]).0, CLIENT, "{malformed}");
    }
}

#[test]
fn no_beginning_of_a_line_hides_the_address_that_a_proxy_appends() {
    let pieces = ["for=198.51.100.66", "for=\"", "\"", "\\", ",", ";", "=", " ", "a", "proto=https"];
    let mut forged = vec![String::new()];
    for _ in 0..4 {
        forged = forged.iter().flat_map(|start| pieces.map(|piece| format!("{start}{piece}"))).collect();
        for start in &forged {
            for own in ["for=203.0.113.9", "for=\"203.0.113.9:80\";proto=http", "proto=http;for=\"[2001:db8:9::1]\""] {
                let seen = by_forwarded(&[&format!("{start}, {own}")]).0;
                let is_true = own.contains(&seen) || seen == PROXY;
                assert!(is_true && seen != OTHER, "{start}, {own}: {seen}");
            }
        }
        forged.truncate(2_000);
    }
}

#[test]
fn the_proxy_that_saw_the_client_states_the_scheme() {
    assert_eq!(by_forwarded(&["for=203.0.113.9;proto=HTTPS, for=10.0.0.2;proto=http"]).1, Some(true));
    assert_eq!(by_forwarded(&["for=198.51.100.66;proto=https, for=203.0.113.9;proto=http"]).1, Some(false));
    assert_eq!(by_forwarded(&["for=198.51.100.66;proto=https, for=203.0.113.9"]).1, None);
    assert_eq!(by_forwarded(&["for=_hidden;proto=https"]).1, Some(true));
    assert_eq!(by_forwarded(&["for=203.0.113.9;proto=javascript"]).1, None);
    assert_eq!(by_forwarded(&["proto=https, for=\""]).1, None);
}

#[test]
fn thousands_of_forged_elements_do_not_hide_the_client() {
    let many = format!("{}for=203.0.113.9", "for=10.0.0.2, ".repeat(5_000));
    assert_eq!(by_forwarded(&[&many]).0, CLIENT);
    let many = format!("{}203.0.113.9", "10.0.0.2,".repeat(5_000));
    assert_eq!(found(Headers::XForwarded, PROXY, &[("x-forwarded-for", &many)]).0, CLIENT);
}
