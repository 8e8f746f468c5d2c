//! The memory that the streams with blocked sockets keep in use together.

use std::collections::HashMap;

/// The blocks of one stream whose socket is blocked: the identity and the size of each.
#[derive(Debug)]
pub(super) struct Stalled {
    pub id: u64,
    pub bytes: usize,
    pub blocks: Vec<(usize, usize)>,
}

/// Returns the size of all blocks, each counted once, and the streams to close so that at most `limit` bytes are left.
/// The streams with the most waiting bytes are closed first.
pub(super) fn choose(mut stalled: Vec<Stalled>, limit: usize) -> (usize, Vec<u64>) {
    let mut users: HashMap<usize, u32> = HashMap::new();
    let mut total = 0;
    for (block, size) in stalled.iter().flat_map(|each| &each.blocks) {
        let count = users.entry(*block).or_default();
        total += if *count == 0 { *size } else { 0 };
        *count += 1;
    }
    stalled.sort_unstable_by_key(|each| std::cmp::Reverse(each.bytes));
    let (mut left, mut worst) = (total, Vec::new());
    for each in stalled {
        if left <= limit {
            break;
        }
        for (block, size) in &each.blocks {
            let Some(count) = users.get_mut(block) else { continue };
            *count -= 1;
            left -= if *count == 0 { *size } else { 0 };
        }
        worst.push(each.id);
    }
    (total, worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stalled(id: u64, blocks: &[(usize, usize)]) -> Stalled {
        Stalled { id, bytes: blocks.iter().map(|(_, size)| size).sum(), blocks: blocks.to_vec() }
    }

    #[test]
    fn shared_blocks_count_once() {
        let shared = [(1, 60), (2, 40)];
        assert_eq!(choose((0..50).map(|id| stalled(id, &shared)).collect(), 100), (100, vec![]));
    }

    #[test]
    fn the_worst_are_closed_until_the_rest_fits() {
        let streams = || vec![stalled(1, &[(1, 10)]), stalled(2, &[(2, 30)]), stalled(3, &[(3, 20)])];
        assert_eq!(choose(streams(), 60), (60, vec![]));
        assert_eq!(choose(streams(), 59), (60, vec![2]));
        assert_eq!(choose(streams(), 29), (60, vec![2, 3]));
        assert_eq!(choose(streams(), 0), (60, vec![2, 3, 1]));
        assert_eq!(choose(vec![], 0), (0, vec![]));
    }

    #[test]
    fn a_block_stays_until_its_last_stream_is_closed() {
        let streams = vec![stalled(1, &[(1, 50), (2, 5)]), stalled(2, &[(1, 50), (3, 1)]), stalled(3, &[(4, 4)])];
        assert_eq!(choose(streams, 10), (60, vec![1, 2]));
    }
}
