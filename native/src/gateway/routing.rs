//! Decides which upstreams receive a request, and which requests are denied.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, Method};

use super::alone::{Alone, Denied};
use super::balance::{Group, Member};
use super::config::{Config, InvalidConfig};
use super::counters::Counters;
use super::paths::{is_below, plain};
use super::refusal::Refusal;
use super::request_head::token;
use super::upstream::Upstream;
use super::upstream_tls;
use crate::token::Tokens;

/// The routes of a gateway.
#[derive(Debug)]
pub struct Routing {
    /// The longest prefix first.
    groups: Vec<(String, Group)>,
    members: HashMap<String, Rc<Member>>,
    /// The configuration of a stand-alone gateway.
    pub alone: Option<Alone>,
}

impl Routing {
    /// Prepares the routes of a configuration. Upstreams of `earlier` routes keep their connections and state.
    ///
    /// # Errors
    /// [`InvalidConfig`]: an address, a prefix or a certificate cannot be used.
    pub fn new(config: &Config, counters: &Arc<Counters>, earlier: Option<&Self>) -> Result<Self, InvalidConfig> {
        let alone = config.alone.clone();
        let routes = alone.iter().flat_map(|alone| &alone.routes).map(|route| (&*route.prefix, &route.upstreams));
        let routes: Vec<_> = routes.chain((!config.upstreams.is_empty()).then_some(("/", &config.upstreams))).collect();
        let addresses: Vec<_> = routes.iter().flat_map(|(_, upstreams)| *upstreams).collect();
        let members = create_members(&addresses, config, counters, earlier)?;
        let mut groups = Vec::new();
        for (prefix, upstreams) in routes {
            if !prefix.starts_with('/') || upstreams.is_empty() {
                return Err(InvalidConfig(format!("the route {prefix} needs a path and at least one upstream")));
            }
            groups.push((
                prefix.to_owned(),
                Group::new(upstreams.iter().map(|each| Rc::clone(&members[each])).collect()),
            ));
        }
        groups.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Self { groups, members, alone })
    }

    /// Returns the upstreams for a path.
    #[must_use]
    pub fn group(&self, path: &str) -> Option<&Group> {
        self.route(path).map(|(_, group)| group)
    }

    /// Returns the prefix whose upstreams receive a path.
    #[must_use]
    pub fn prefix(&self, path: &str) -> Option<&str> {
        self.route(path).map(|(prefix, _)| &**prefix)
    }

    fn route(&self, path: &str) -> Option<&(String, Group)> {
        match &*self.groups {
            [only] if only.0 == "/" => Some(only),
            groups => {
                let path = plain(path);
                groups.iter().find(|(prefix, _)| is_below(&path, prefix))
            }
        }
    }

    /// Returns every upstream once.
    pub fn members(&self) -> impl Iterator<Item = &Rc<Member>> {
        self.members.values()
    }

    /// Checks a request before an upstream is chosen.
    ///
    /// # Errors
    /// A refusal if the request is denied, or if it has an access token that `tokens` does not accept.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        tokens: Option<&Tokens>,
    ) -> Result<(), Refusal> {
        let denied = self.alone.as_ref().map_or(&[][..], |alone| &alone.denied);
        if !denied.is_empty() {
            let path = plain(path);
            let is_meant = |denied: &Denied| denied.method.as_ref().is_none_or(|name| name == method.as_str());
            if denied.iter().any(|denied| is_meant(denied) && is_below(&path, &denied.prefix)) {
                return Err(Refusal::NotFound);
            }
        }
        let Some(tokens) = tokens else { return Ok(()) };
        let is_invalid = |token: &[u8]| looks_like_token(token) && tokens.verify(token).is_none();
        if token(headers).is_some_and(is_invalid) { Err(Refusal::Unauthorized) } else { Ok(()) }
    }
}

/// Returns the upstreams by address.
fn create_members(
    addresses: &[&String],
    config: &Config,
    counters: &Arc<Counters>,
    earlier: Option<&Routing>,
) -> Result<HashMap<String, Rc<Member>>, InvalidConfig> {
    let alone = config.alone.as_ref();
    let tls = alone.map(|alone| upstream_tls::client(&alone.roots)).transpose()?;
    let patience = alone.map(Alone::patience);
    let limit = config.limits.upstream_connections.div_ceil(addresses.len().max(1));
    let mut members = HashMap::new();
    for &address in addresses {
        if members.contains_key(address) {
            continue;
        }
        let member = if let Some(known) = earlier.and_then(|earlier| earlier.members.get(address)) {
            Rc::clone(known)
        } else {
            let upstream = Upstream::new(address, limit, Arc::clone(counters), tls.clone())?;
            Rc::new(Member::new(Rc::new(upstream), address, patience))
        };
        members.insert(address.clone(), member);
    }
    Ok(members)
}

/// Whether the text has the form of an access token. Only the upstream can check other secrets.
fn looks_like_token(token: &[u8]) -> bool {
    token.starts_with(b"eyJ") && token.split(|byte| *byte == b'.').count() == 3
}
