//! Which upstreams receive a request, and which requests none of them receives.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, Method, header};

use super::alone::{Alone, Denied};
use super::balance::{Group, Member};
use super::config::{Config, InvalidConfig};
use super::counters::Counters;
use super::paths::{is_below, plain};
use super::refusal::Refusal;
use super::upstream::Upstream;
use super::upstream_tls;
use crate::token::Tokens;

/// The routes of a gateway.
#[derive(Debug)]
pub struct Routing {
    /// The longest prefix first.
    groups: Vec<(String, Group)>,
    members: HashMap<String, Rc<Member>>,
    denied: Vec<Denied>,
    /// What only a stand-alone gateway has.
    pub alone: Option<Alone>,
}

impl Routing {
    /// Prepares the routes of a configuration. Upstreams of `earlier` routes keep their connections and state.
    ///
    /// # Errors
    /// [`InvalidConfig`]: an address, a prefix or a certificate cannot be used.
    pub fn new(config: &Config, counters: &Arc<Counters>, earlier: Option<&Self>) -> Result<Self, InvalidConfig> {
        let alone = config.alone.clone();
        let tls = alone.as_ref().map(|alone| upstream_tls::client(&alone.roots)).transpose()?;
        let patience = alone.as_ref().map(Alone::patience);
        let routes = alone.iter().flat_map(|alone| &alone.routes).map(|route| (&*route.prefix, &route.upstreams));
        let routes: Vec<_> = routes.chain((!config.upstreams.is_empty()).then_some(("/", &config.upstreams))).collect();
        let mut members: HashMap<String, Rc<Member>> = HashMap::new();
        let all: Vec<_> = routes.iter().flat_map(|(_, upstreams)| *upstreams).collect();
        let limit = config.limits.upstream_connections.div_ceil(all.len().max(1));
        for address in all {
            if !members.contains_key(address) {
                let known = earlier.and_then(|earlier| earlier.members.get(address)).cloned();
                let create = || Upstream::new(address, limit, Arc::clone(counters), tls.clone());
                let member = known.map_or_else(
                    || create().map(|upstream| Rc::new(Member::new(Rc::new(upstream), address, patience))),
                    Ok,
                )?;
                members.insert(address.clone(), member);
            }
        }
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
        let denied = alone.as_ref().map_or_else(Vec::new, |alone| alone.denied.clone());
        Ok(Self { groups, members, denied, alone })
    }

    /// Returns the upstreams for a path.
    #[must_use]
    pub fn group(&self, path: &str) -> Option<&Group> {
        if let [(prefix, only)] = &*self.groups
            && prefix == "/"
        {
            return Some(only);
        }
        let path = plain(path);
        self.groups.iter().find(|(prefix, _)| is_below(&path, prefix)).map(|(_, group)| group)
    }

    /// Every upstream once.
    pub fn members(&self) -> impl Iterator<Item = &Rc<Member>> {
        self.members.values()
    }

    /// Checks a request before an upstream is chosen.
    ///
    /// # Errors
    /// A refusal if the request is denied, or if `tokens` can read its token and the token is not valid.
    pub fn check(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        tokens: Option<&Tokens>,
    ) -> Result<(), Refusal> {
        if !self.denied.is_empty() {
            let path = plain(path);
            let is_meant = |denied: &Denied| denied.method.as_ref().is_none_or(|name| name == method.as_str());
            if self.denied.iter().any(|denied| is_meant(denied) && is_below(&path, &denied.prefix)) {
                return Err(Refusal::NotFound);
            }
        }
        let Some(tokens) = tokens else { return Ok(()) };
        let mut named = headers.get_all(header::AUTHORIZATION).iter();
        match (named.next().and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")), named.next()) {
            (Some(token), None) if looks_like_token(token) && tokens.verify(token).is_none() => {
                Err(Refusal::Unauthorized)
            }
            _ => Ok(()),
        }
    }
}

/// Whether it has the three parts of an access token. Only the upstream can check other secrets.
fn looks_like_token(token: &[u8]) -> bool {
    token.starts_with(b"eyJ") && token.split(|byte| *byte == b'.').count() == 3
}
