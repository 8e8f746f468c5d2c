use std::sync::LazyLock;
use std::time::Duration;

use super::label::Scope;
use super::log::{Key, MAX_HEAD_AGE};
use super::state::{MAX_KEYS, MAX_LOGS};
use super::*;

const CHAT: i64 = 12;
const PAGE: &str = "/api/chat/12/messages";
const ME: &str = "/api/users/me";
const ERA: &str = "e";
/// A time before any head is read, so that no head is too old on a busy machine.
static EARLY: LazyLock<Instant> = LazyLock::new(Instant::now);

fn reader(user_id: i64, session_id: i64) -> Claims {
    Claims { user_id, workspace_id: 1, session_id, expires: f64::INFINITY }
}

fn at(seq: u64) -> Position {
    Position { era: ERA.into(), seq }
}

fn event(seq: u64, chat_id: i64, user_id: i64, rights: bool) -> Event<'static> {
    Event { workspace_id: 1, seq, era: ERA, chat_id, user_id, rights }
}

fn shared() -> Label {
    Label { scope: Scope::Chat { chat_id: CHAT, right: "read".into() }, keys: [Key::Chat(CHAT)].into() }
}

fn own(user_id: i64) -> Label {
    Label { scope: Scope::Session, keys: [Key::User(user_id)].into() }
}

fn page() -> Wanted<'static> {
    Wanted { workspace_id: 1, session_id: 0, target: PAGE, coding: None }
}

fn me(session_id: i64) -> Wanted<'static> {
    Wanted { workspace_id: 1, session_id, target: ME, coding: None }
}

fn body() -> Bytes {
    Bytes::from_static(b"{}")
}

fn answer(target: &str, label: Label, seq: u64, body: Bytes) -> Answer<'_> {
    Answer { target, coding: None, headers: HeaderMap::new(), label, position: at(seq), body }
}

/// The app answers with a page as of `seq`.
fn read_page(cache: &ResponseCache, who: &Claims, seq: u64) {
    let begun = cache.begin(1);
    cache.show(1, &at(seq));
    cache.store(&begun, who, answer(PAGE, shared(), seq, body()));
}

fn find(cache: &ResponseCache, wanted: &Wanted<'_>, who: &Claims, seen: Option<&Position>) -> Option<Found> {
    cache.lock().find(wanted, who, seen, *EARLY)
}

fn served(cache: &ResponseCache, who: &Claims) -> Option<String> {
    find(cache, &page(), who, None).map(|found| found.cursor.to_str().expect("visible characters").to_owned())
}

fn cache() -> ResponseCache {
    LazyLock::force(&EARLY);
    ResponseCache::new(1 << 20)
}

#[test]
fn a_page_is_shared_among_sessions_that_the_app_gave_it_to() {
    let (cache, ada, ben) = (cache(), reader(7, 70), reader(8, 80));
    read_page(&cache, &ada, 5);
    assert_eq!(served(&cache, &ada).as_deref(), Some("e.5"));
    assert_eq!(served(&cache, &ben), None, "without a grant");
    assert_eq!(served(&cache, &reader(7, 71)), None, "another session of the same person");
    read_page(&cache, &ben, 5);
    assert_eq!(served(&cache, &ben).as_deref(), Some("e.5"));
    assert_eq!(cache.counts().entries, 1);
}

#[test]
fn an_event_removes_the_answers_with_its_keys_only() {
    let (cache, ada) = (cache(), reader(7, 70));
    read_page(&cache, &ada, 5);
    cache.pass([event(6, 99, 0, false)]);
    assert_eq!(served(&cache, &ada).as_deref(), Some("e.6"), "an event of another chat moves the position");
    cache.pass([event(7, CHAT, 0, false)]);
    assert_eq!(served(&cache, &ada), None);
    assert_eq!((cache.counts().entries, cache.counts().purged), (0, 1));
    read_page(&cache, &ada, 7);
    assert_eq!(served(&cache, &ada).as_deref(), Some("e.7"));
}

#[test]
fn a_grant_ends_with_every_change_of_rights_that_may_concern_it() {
    for (chat, user, ends) in
        [(CHAT, 7, true), (0, 7, true), (CHAT, 0, true), (0, 0, true), (CHAT, 8, false), (0, 8, false), (99, 0, false)]
    {
        let (cache, ada, ben) = (cache(), reader(7, 70), reader(9, 90));
        read_page(&cache, &ada, 5);
        cache.pass([event(6, chat, user, true)]);
        read_page(&cache, &ben, 6);
        assert_eq!(served(&cache, &ada).is_none(), ends, "{chat} {user}");
    }
}

#[test]
fn an_answer_that_an_event_overtook_is_not_stored() {
    let (cache, ada) = (cache(), reader(7, 70));
    let begun = cache.begin(1);
    cache.pass([event(6, CHAT, 0, false)]);
    cache.store(&begun, &ada, answer(PAGE, shared(), 5, body()));
    assert_eq!(served(&cache, &ada), None);
    let begun = cache.begin(1);
    cache.pass([event(7, CHAT, 7, true)]);
    cache.store(&begun, &ada, answer(PAGE, shared(), 6, body()));
    read_page(&cache, &reader(8, 80), 7);
    assert_eq!(served(&cache, &ada), None, "its grant is older than the change of rights");
}

#[test]
fn an_answer_from_before_the_first_known_position_is_not_stored() {
    let (cache, ada) = (cache(), reader(7, 70));
    let (early, late) = (cache.begin(1), cache.begin(1));
    // Event 6 was committed but has not passed.
    cache.store(&late, &ada, answer(ME, own(7), 6, body()));
    cache.store(&early, &ada, answer(PAGE, shared(), 5, body()));
    assert_eq!(served(&cache, &ada), None);
    assert!(find(&cache, &me(70), &ada, None).is_some());
}

#[test]
fn nothing_is_served_below_what_somebody_has_seen() {
    let (cache, ada) = (cache(), reader(7, 70));
    read_page(&cache, &ada, 5);
    cache.show(1, &at(6));
    assert_eq!(served(&cache, &ada), None, "an answer showed an event that has not passed");
    cache.pass([event(6, 99, 0, false)]);
    assert_eq!(served(&cache, &ada).as_deref(), Some("e.6"));
    cache.pass([event(8, 99, 0, false)]);
    assert_eq!(served(&cache, &ada), None, "event 7 is missing");
    cache.pass([event(7, 99, 0, false)]);
    assert_eq!(served(&cache, &ada).as_deref(), Some("e.8"));
    assert!(find(&cache, &page(), &ada, Some(&at(8))).is_some());
    assert!(find(&cache, &page(), &ada, Some(&at(9))).is_none());
    assert!(find(&cache, &page(), &ada, Some(&Position { era: "f".into(), seq: 1 })).is_none());
}

#[test]
fn a_session_that_was_refused_waits_for_the_head() {
    let (cache, ada, ben) = (cache(), reader(7, 70), reader(8, 80));
    read_page(&cache, &ada, 5);
    read_page(&cache, &ben, 5);
    cache.doubt(1, 70);
    assert_eq!(served(&cache, &ada), None);
    assert!(served(&cache, &ben).is_some());
    assert_eq!(cache.places(), [(1, ERA.to_owned(), 5)]);
    cache.read_heads(&[Head { workspace_id: 1, position: at(5), kept: true }]);
    assert!(served(&cache, &ada).is_some());
}

#[test]
fn an_event_that_never_passes_drops_the_workspace() {
    let (cache, ada) = (cache(), reader(7, 70));
    read_page(&cache, &ada, 5);
    let read = |seq, kept| {
        let _ = cache.places();
        cache.read_heads(&[Head { workspace_id: 1, position: at(seq), kept }]);
    };
    read(6, true);
    assert_eq!(served(&cache, &ada), None, "the head is beyond the position");
    assert_eq!(cache.counts().entries, 1);
    read(6, true);
    assert_eq!(cache.counts().entries, 0);
    read_page(&cache, &ada, 6);
    assert_eq!(served(&cache, &ada).as_deref(), Some("e.6"));
    read(6, false);
    assert_eq!((served(&cache, &ada), cache.is_used()), (None, false));
    read_page(&cache, &ada, 6);
    let _ = cache.places();
    cache.read_heads(&[]);
    assert!(!cache.is_used(), "the workspace was removed");
}

#[test]
fn nothing_is_served_while_the_head_is_too_old() {
    let (cache, ada) = (cache(), reader(7, 70));
    read_page(&cache, &ada, 5);
    let find = |now| cache.lock().find(&page(), &ada, None, now).is_some();
    assert!(find(*EARLY));
    assert!(!find(Instant::now() + MAX_HEAD_AGE + Duration::from_millis(1)));
}

#[test]
fn a_log_of_another_era_drops_the_workspace() {
    for forget in [
        |cache: &ResponseCache| cache.pass([Event { era: "f", ..event(6, 99, 0, false) }]),
        |cache: &ResponseCache| cache.show(1, &Position { era: "f".into(), seq: 6 }),
        |cache: &ResponseCache| {
            let begun = cache.begin(1);
            cache.store(&begun, &reader(7, 70), answer(ME, own(7), 4, body()));
        },
        ResponseCache::clear,
    ] {
        let (cache, ada) = (cache(), reader(7, 70));
        let early = cache.begin(1);
        read_page(&cache, &ada, 5);
        forget(&cache);
        assert_eq!((served(&cache, &ada), cache.counts().entries, cache.is_used()), (None, 0, false));
        cache.store(&early, &ada, answer(PAGE, shared(), 5, body()));
        let _ = cache.begin(1);
        cache.store(&early, &ada, answer(PAGE, shared(), 5, body()));
        assert_eq!(served(&cache, &ada), None, "a request from before");
    }
}

#[test]
fn the_memory_is_bounded() {
    let cache = ResponseCache::new(256 << 10);
    let ada = reader(7, 70);
    for number in 0..4_000 {
        let begun = cache.begin(1);
        let (target, body) = (format!("{PAGE}?before={number}"), Bytes::from(vec![b'a'; 4 << 10]));
        cache.store(&begun, &reader(7, number), answer(&target, shared(), 5, body));
    }
    let counts = cache.counts();
    assert!(counts.bytes <= 256 << 10 && counts.entries > 10 && counts.grants > 10, "{counts:?}");
    cache.pass([event(6, CHAT, 0, false)]);
    assert_eq!((cache.counts().entries, served(&cache, &ada)), (0, None));
    for workspace_id in (0..).take(MAX_LOGS + 1) {
        let _ = cache.begin(workspace_id);
    }
    assert_eq!(cache.lock().logs.len(), MAX_LOGS);
    for seq in 0..2 * MAX_KEYS as u64 {
        cache.pass([event(seq, i64::try_from(seq).expect("a small number") + 1, 0, true)]);
    }
    assert!(cache.lock().logs.values().all(|log| log.len() <= MAX_KEYS));
}
