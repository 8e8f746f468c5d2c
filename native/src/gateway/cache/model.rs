//! Compares the cache with a log that this test knows completely.
//!
//! Events are committed, then pass in any order. Answers are read at a head, then arrive in any order. A served answer
//! must equal the state at its position, and that position must not be below anything that was shown.

use super::label::Scope;
use super::log::Key;
use super::*;

const ERA: &str = "e";
const CHATS: usize = 3;
/// In the log, a change of the reader's rights: the first one takes them away, the next one gives them back.
const RIGHTS: usize = 0;

/// A generator of pseudorandom numbers (Knuth, The Art of Computer Programming, volume 2, section 3.3.4).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

struct World {
    seed: u64,
    random: Random,
    cache: ResponseCache,
    reader: Claims,
    /// The chat of each event.
    log: Vec<usize>,
    /// Events that have not passed.
    waiting: Vec<usize>,
    /// Requests that the app has answered at a head, for a chat.
    answers: Vec<(Begun, usize, usize)>,
    shown: usize,
    served: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let reader = Claims { user_id: 7, workspace_id: 1, session_id: 70, expires: f64::INFINITY };
        Self {
            seed,
            random: Random(seed),
            cache: ResponseCache::new(1 << 20),
            reader,
            log: Vec::new(),
            waiting: Vec::new(),
            answers: Vec::new(),
            shown: 0,
            served: 0,
        }
    }

    fn step(&mut self) {
        match self.random.below(6) {
            0 => {
                self.log.push(self.random.below(CHATS + 1));
                self.waiting.push(self.log.len());
            }
            1 if !self.waiting.is_empty() => self.pass(),
            2 => {
                let chat = self.random.below(CHATS) + 1;
                self.answers.push((self.cache.begin(1), self.log.len(), chat));
            }
            3 if !self.answers.is_empty() => self.receive(),
            _ => self.read(),
        }
    }

    fn pass(&mut self) {
        let seq = self.waiting.swap_remove(self.random.below(self.waiting.len()));
        let chat_id = id(self.log[seq - 1]);
        let (user_id, rights) = if self.log[seq - 1] == RIGHTS { (7, true) } else { (0, false) };
        self.cache.pass([Event { workspace_id: 1, seq: seq as u64, era: ERA, chat_id, user_id, rights }]);
        self.shown = self.shown.max(seq);
    }

    fn receive(&mut self) {
        let (begun, head, chat) = self.answers.swap_remove(self.random.below(self.answers.len()));
        let position = Position { era: ERA.into(), seq: head as u64 };
        self.cache.show(1, &position);
        self.shown = self.shown.max(head);
        if self.may_read(head) {
            let scope = Scope::Chat { chat_id: id(chat), right: "read".into() };
            let label = Label { scope, keys: [Key::Chat(id(chat))].into() };
            let (target, body) = (chat.to_string(), self.newest(head, chat).into());
            self.cache.store(
                &begun,
                &self.reader,
                Answer { target: &target, coding: None, headers: HeaderMap::new(), label, position, body },
            );
        }
    }

    fn read(&mut self) {
        let chat = self.random.below(CHATS) + 1;
        let target = chat.to_string();
        let wanted = Wanted { workspace_id: 1, session_id: 0, target: &target, coding: None };
        let Some(found) = self.cache.find(&wanted, &self.reader, None) else { return };
        let position = Position::parse(found.cursor.as_bytes()).expect("a position");
        let seq = usize::try_from(position.seq).expect("a small number");
        assert!(seq >= self.shown && self.may_read(seq), "seed {}", self.seed);
        assert_eq!(found.body, self.newest(seq, chat), "seed {}", self.seed);
        self.served += 1;
    }

    fn may_read(&self, head: usize) -> bool {
        self.log[..head].iter().filter(|chat| **chat == RIGHTS).count() % 2 == 0
    }

    /// The content of a chat: its newest event.
    fn newest(&self, head: usize, chat: usize) -> String {
        self.log[..head].iter().rposition(|each| *each == chat).map_or(0, |place| place + 1).to_string()
    }
}

fn id(chat: usize) -> i64 {
    i64::try_from(chat).expect("a small number")
}

#[test]
fn a_served_answer_is_the_state_at_its_position() {
    let mut served = 0;
    for seed in 0..300 {
        let mut world = World::new(seed);
        for _ in 0..200 {
            world.step();
        }
        served += world.served;
    }
    assert!(served > 1_000, "{served}");
}
