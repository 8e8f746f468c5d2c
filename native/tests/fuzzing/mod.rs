//! Random inputs that resemble valid ones. `FUZZED_INPUTS` is the number of inputs of each parser.

const DEFAULT_INPUTS: u64 = 20_000;

/// A small generator of random numbers (xorshift), with the same numbers in each run.
pub struct Random(u64);

impl Random {
    /// A random number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits fit") % limit
    }

    /// A random byte.
    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }

    fn one_of<'a>(&mut self, parts: &[&'a [u8]]) -> &'a [u8] {
        parts[self.below(parts.len())]
    }

    /// Returns one of the seeds, or two of them, with up to three changes. A change may insert one of the pieces.
    pub fn input(&mut self, seeds: &[&[u8]], pieces: &[&[u8]]) -> Vec<u8> {
        let mut input = self.one_of(seeds).to_vec();
        if self.below(3) == 0 {
            input.extend_from_slice(self.one_of(seeds));
        }
        for _ in 0..self.below(4) {
            let at = self.below(input.len() + 1);
            match self.below(4) {
                0 => drop(input.splice(at..at, self.one_of(pieces).iter().copied())),
                1 => input.truncate(at.max(input.len().saturating_sub(8))),
                2 if at < input.len() => input[at] = self.byte(),
                _ if at < input.len() => drop(input.remove(at)),
                _ => input.push(self.byte()),
            }
        }
        input
    }
}

/// Calls `check` with each input. It returns whether the parser accepted the input; at least 1 of 50 must be.
pub fn fuzz(seeds: &[&[u8]], pieces: &[&[u8]], mut check: impl FnMut(&[u8], &mut Random) -> bool) {
    let count = std::env::var("FUZZED_INPUTS").map_or(DEFAULT_INPUTS, |text| text.parse().expect("a number"));
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for _ in 0..count {
        let input = random.input(seeds, pieces);
        accepted += u64::from(check(&input, &mut random));
    }
    assert!(accepted * 50 >= count, "the parser accepted {accepted} of {count} inputs");
}
