//! Counts requests against quotas, and returns headers with the remaining quotas.

use http::header::{HeaderName, HeaderValue};

use crate::quota::{self, Key, Quota, monotonic_seconds};

/// The headers of the quotas that a request counted against.
pub type QuotaHeaders = Vec<(HeaderName, HeaderValue)>;

const POLICY: HeaderName = HeaderName::from_static(quota::POLICY_HEADER);
const REMAINING: HeaderName = HeaderName::from_static(quota::REMAINING_HEADER);

/// Counts one request. `None` if the quota is exhausted.
#[must_use]
pub fn take(quota: Option<&Quota>, person: i64) -> Option<QuotaHeaders> {
    let Some(quota) = quota else { return Some(Vec::new()) };
    let remaining = quota.take(Key::Number(person), monotonic_seconds()).ok()?;
    Some(headers(quota, &remaining))
}

/// Counts `more` requests, for a request that was allowed.
#[must_use]
pub fn charge(quota: Option<&Quota>, person: i64, more: usize) -> QuotaHeaders {
    let Some(quota) = quota else { return Vec::new() };
    let more = u32::try_from(more).unwrap_or(u32::MAX);
    headers(quota, &quota.charge(Key::Number(person), f64::from(more), monotonic_seconds()))
}

fn headers(quota: &Quota, remaining: &str) -> QuotaHeaders {
    let values = [(POLICY, quota.policy()), (REMAINING, remaining)];
    values.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(value).ok()?))).collect()
}
