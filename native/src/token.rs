//! Verifies access tokens: JWT (RFC 7519) with HMAC-SHA-256, as `fechatter/auth/tokens.py` signs them.
//!
//! A token proves only who signed in, and through which session. Whether that session is still active is in the
//! database. The signature is verified first, so that nobody without the secret reaches a parser.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Deserializer, de};
use sha2::Sha256;

/// The issuer and the audience of every token.
pub const ISSUER: &str = "fechatter";
/// The type in the header of every access token (RFC 9068).
pub const TYPE: &str = "at+jwt";
/// The only algorithm.
pub const ALGORITHM: &str = "HS256";
/// How far the clock of the node that signed a token may be ahead of this node's. The expiry is never extended.
pub const SKEW_SECONDS: f64 = 30.0;
/// Maximum length of a token. A valid token is ASCII.
pub const MAX_CHARACTERS: usize = 1024;
/// Maximum number of verified tokens in the cache.
pub const MAX_CACHED: usize = 65_536;
/// Every client reads an id of this size without loss: a double has 53 bits.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// The decoder asks for the space of whole groups of 3 bytes; a signature has 32.
const SIGNATURE_SPACE: usize = 33;
const MAX_SUBJECT_DIGITS: usize = 16;

/// The claims of a valid token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claims {
    /// The person.
    pub user_id: i64,
    /// The workspace of the person.
    pub workspace_id: i64,
    /// The session through which the person signed in.
    pub session_id: i64,
    /// When the token expires, in seconds since the Unix epoch.
    pub expires: f64,
}

/// Verifies tokens with one secret, and caches the valid ones. Any thread may call it.
pub struct Tokens {
    key: Hmac<Sha256>,
    cache: Mutex<Cache>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Creates a verifier. `secret` is the same on every node, and at least 32 bytes long.
    ///
    /// # Panics
    /// Never: HMAC accepts a secret of any length.
    #[must_use]
    pub fn new(secret: &[u8], max_cached: usize) -> Self {
        let key = Hmac::new_from_slice(secret).expect("HMAC accepts a secret of any length");
        Self { key, cache: Mutex::new(Cache::new(max_cached)) }
    }

    /// Returns the claims of a token that is valid now.
    #[must_use]
    pub fn verify(&self, token: &[u8]) -> Option<Claims> {
        self.verify_at(token, unix_seconds())
    }

    /// Returns the claims of a token that is valid `now`, in seconds since the Unix epoch.
    #[must_use]
    pub fn verify_at(&self, token: &[u8], now: f64) -> Option<Claims> {
        if token.len() > MAX_CHARACTERS {
            return None;
        }
        if let Some(claims) = self.lock().get(token, now) {
            return Some(claims);
        }
        let claims = self.decode(token, now)?;
        self.lock().insert(token, claims);
        Some(claims)
    }

    /// Number of tokens in the cache.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.lock().len()
    }

    fn decode(&self, token: &[u8], now: f64) -> Option<Claims> {
        let token = std::str::from_utf8(token).ok()?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        self.check_signature(signed, signature)?;
        check_header(&URL_SAFE_NO_PAD.decode(header).ok()?)?;
        read_claims(&URL_SAFE_NO_PAD.decode(payload).ok()?, now)
    }

    /// Compares in constant time.
    fn check_signature(&self, signed: &str, signature: &str) -> Option<()> {
        let mut given = [0; SIGNATURE_SPACE];
        let size = URL_SAFE_NO_PAD.decode_slice(signature, &mut given).ok()?;
        let mut mac = self.key.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&given[..size]).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().expect("no thread panics while it holds the lock")
    }
}

/// Valid tokens. If both halves are full, the tokens that were not used since the younger half began are dropped.
struct Cache {
    half: usize,
    young: HashMap<Box<[u8]>, Claims>,
    old: HashMap<Box<[u8]>, Claims>,
}

impl Cache {
    fn new(most: usize) -> Self {
        Self { half: most / 2, young: HashMap::new(), old: HashMap::new() }
    }

    fn get(&mut self, token: &[u8], now: f64) -> Option<Claims> {
        if let Some(&claims) = self.young.get(token) {
            if claims.expires <= now {
                self.young.remove(token);
                return None;
            }
            return Some(claims);
        }
        let (token, claims) = self.old.remove_entry(token)?;
        if claims.expires <= now {
            return None;
        }
        self.put(token, claims);
        Some(claims)
    }

    fn insert(&mut self, token: &[u8], claims: Claims) {
        self.put(token.into(), claims);
    }

    fn put(&mut self, token: Box<[u8]>, claims: Claims) {
        if self.half == 0 {
            return;
        }
        if self.young.len() >= self.half {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(token, claims);
    }

    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

/// The members of a header that count. Duplicates of them are refused.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow, default, rename = "kid")]
    _kid: Cow<'a, str>,
    #[serde(default, rename = "crit")]
    _crit: Absent,
    #[serde(default, rename = "b64")]
    _b64: Absent,
}

/// The claims that count. Duplicates of them are refused.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Audience<'a>,
    #[serde(borrow)]
    sub: Cow<'a, str>,
    wid: i64,
    sid: i64,
    iat: f64,
    exp: f64,
    #[serde(default)]
    nbf: f64,
    #[serde(borrow, default, rename = "jti")]
    _jti: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Many(#[serde(borrow)] Vec<Cow<'a, str>>),
}

impl Audience<'_> {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

/// A member whose presence alone makes a token invalid: an extension that we do not have.
#[derive(Default)]
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("an extension"))
    }
}

fn check_header(json: &[u8]) -> Option<()> {
    let header: Header<'_> = parse(json)?;
    (header.alg == ALGORITHM && header.typ == TYPE).then_some(())
}

fn read_claims(json: &[u8], now: f64) -> Option<Claims> {
    let payload: Payload<'_> = parse(json)?;
    let began = payload.iat.trunc().max(payload.nbf.trunc()) <= now + SKEW_SECONDS;
    let ours = payload.iss == ISSUER && payload.aud.contains(ISSUER);
    if !(began && ours && payload.exp > now) {
        return None;
    }
    Some(Claims {
        user_id: check_id(subject(&payload.sub)?)?,
        workspace_id: check_id(payload.wid)?,
        session_id: check_id(payload.sid)?,
        expires: payload.exp,
    })
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    // The parser does not check the encoding of strings that it skips.
    let text = std::str::from_utf8(json).ok()?;
    // It also accepts a list in place of an object.
    text.trim_ascii_start().starts_with('{').then(|| serde_json::from_str(text).ok()).flatten()
}

fn subject(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && text.len() <= MAX_SUBJECT_DIGITS).then(|| text.parse().ok()).flatten()
}

fn check_id(id: i64) -> Option<i64> {
    (1..=MAX_ID).contains(&id).then_some(id)
}

fn unix_seconds() -> f64 {
    // A clock before 1970 makes every token invalid.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(f64::INFINITY, |passed| passed.as_secs_f64())
}
