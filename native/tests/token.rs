//! Only tokens with the right signature, header and claims are valid, and the cache keeps its bound.

use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fechatter_native::token::{MAX_CACHED, MAX_CHARACTERS, Tokens};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const SECRET: &[u8] = &[b's'; 32];
const NOW: f64 = 1_000.0;
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;
const CLAIMS: &str = r#"{"iss":"fechatter","aud":"fechatter","sub":"7","wid":3,"sid":9,"iat":1000,"exp":1060}"#;

fn tokens() -> Tokens {
    Tokens::new(SECRET, MAX_CACHED)
}

fn signed(secret: &[u8], header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn is_valid(header: &str, payload: &str) -> bool {
    tokens().verify_at(signed(SECRET, header, payload).as_bytes(), NOW).is_some()
}

/// A valid token of session `id`.
fn of_session(id: usize) -> String {
    signed(SECRET, HEADER, &CLAIMS.replace("\"sid\":9", &format!("\"sid\":{}", id + 1)))
}

#[test]
fn a_signed_token_contains_its_claims() {
    let claims = tokens().verify_at(signed(SECRET, HEADER, CLAIMS).as_bytes(), NOW).expect("a valid token");
    assert_eq!((claims.user_id, claims.workspace_id, claims.session_id), (7, 3, 9));
    assert!((claims.expires - 1_060.0).abs() < f64::EPSILON);
}

#[test]
fn another_secret_header_or_type_is_refused() {
    assert!(tokens().verify_at(signed(b"other", HEADER, CLAIMS).as_bytes(), NOW).is_none());
    assert!(is_valid(HEADER, CLAIMS));
    for header in [
        r#"{"alg":"none","typ":"at+jwt"}"#,
        r#"{"alg":"HS512","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","crit":null}"#,
        r#"{"alg":"HS256","typ":"at+jwt","crit":["b64"],"b64":true}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":1}"#,
        r#"["HS256","at+jwt"]"#,
        "",
    ] {
        assert!(!is_valid(header, CLAIMS), "{header}");
    }
}

#[test]
fn a_claim_that_is_missing_or_wrong_is_refused() {
    for (found, changed) in [
        ("\"iss\":\"fechatter\",", ""),
        ("\"iss\":\"fechatter\"", "\"iss\":\"other\""),
        ("\"aud\":\"fechatter\",", ""),
        ("\"aud\":\"fechatter\"", "\"aud\":[]"),
        ("\"sub\":\"7\"", "\"sub\":7"),
        ("\"sub\":\"7\"", "\"sub\":\"\""),
        ("\"sub\":\"7\"", "\"sub\":\"+7\""),
        ("\"sub\":\"7\"", "\"sub\":\"9007199254740992\""),
        ("\"wid\":3", "\"wid\":0"),
        ("\"wid\":3", "\"wid\":3.0"),
        ("\"sid\":9", "\"sid\":9007199254740992"),
        ("\"sid\":9", "\"sid\":9,\"sid\":9"),
        ("\"iat\":1000", "\"iat\":1031"),
        ("\"iat\":1000", "\"iat\":null"),
        ("\"iat\":1000", "\"iat\":1000,\"nbf\":1031"),
        ("\"iat\":1000", "\"iat\":1000,\"jti\":1"),
        ("\"exp\":1060", "\"exp\":1000"),
        ("\"exp\":1060", "\"exp\":\"1060\""),
        ("\"exp\":1060", "\"exp\":1e400"),
    ] {
        assert!(CLAIMS.contains(found));
        assert!(!is_valid(HEADER, &CLAIMS.replace(found, changed)), "{changed}");
    }
    assert!(is_valid(HEADER, &CLAIMS.replace("\"iat\":1000", "\"iat\":1030,\"nbf\":1030.9,\"x\":[{}]")));
    assert!(is_valid(HEADER, &CLAIMS.replace("\"aud\":\"fechatter\"", "\"aud\":[\"x\",\"fechatter\"]")));
}

#[test]
fn another_form_of_the_same_token_is_refused() {
    let token = signed(SECRET, HEADER, CLAIMS);
    let verifier = tokens();
    for other in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}."),
        token.replacen('.', "=.", 1),
        token.replacen('.', "", 1),
        token[..token.len() - 1].to_owned(),
        format!("{token}{}", "A".repeat(MAX_CHARACTERS)),
    ] {
        assert!(verifier.verify_at(other.as_bytes(), NOW).is_none(), "{other}");
    }
    // The last character of a signature has two unused bits.
    let last = token.as_bytes()[token.len() - 1];
    for byte in (0..=u8::MAX).filter(|&byte| byte != last) {
        let mut other = token.clone().into_bytes();
        other[token.len() - 1] = byte;
        assert!(verifier.verify_at(&other, NOW).is_none(), "{byte}");
    }
}

#[test]
fn a_cached_token_still_expires() {
    let (verifier, token) = (tokens(), signed(SECRET, HEADER, CLAIMS));
    assert!(verifier.verify_at(token.as_bytes(), NOW).is_some());
    assert_eq!(verifier.cached(), 1);
    assert!(verifier.verify_at(token.as_bytes(), 1_059.9).is_some());
    assert!(verifier.verify_at(token.as_bytes(), 1_060.0).is_none());
}

#[test]
fn the_cache_is_bounded_and_keeps_the_tokens_in_use() {
    let verifier = Tokens::new(SECRET, 8);
    let used = of_session(0);
    for number in 1..100 {
        assert!(verifier.verify_at(used.as_bytes(), NOW).is_some());
        assert!(verifier.verify_at(of_session(number).as_bytes(), NOW).is_some());
        assert!(verifier.cached() <= 8);
    }
    assert!(Tokens::new(SECRET, 0).verify_at(used.as_bytes(), NOW).is_some());
}

#[test]
fn threads_share_one_verifier() {
    let verifier = Arc::new(Tokens::new(SECRET, 16));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let verifier = Arc::clone(&verifier);
            thread::spawn(move || {
                (0..200).all(|number| {
                    let found = verifier.verify_at(of_session(number % 40).as_bytes(), NOW);
                    found.is_some_and(|claims| claims.session_id == i64::try_from(number % 40 + 1).unwrap_or_default())
                })
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("the thread ends")));
}
