//! One block of a stream, encoded once for every socket.

use bytes::Bytes;

/// One or several blocks of a stream, with the framing of a chunk of HTTP/1.1 around them. Both forms are slices of one
/// buffer.
#[derive(Debug, Clone)]
pub struct Block {
    chunk: Bytes,
    start: u32,
    count: u32,
}

const LINE_END: &[u8] = b"\r\n";

impl Block {
    /// Copies a block. It must not be empty, because an empty chunk ends a body.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        Self::of([content].into_iter())
    }

    /// Puts blocks together. None of them may be empty.
    #[must_use]
    pub fn of<'a>(blocks: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let length: usize = blocks.clone().map(<[u8]>::len).sum();
        let mut chunk = format!("{length:x}\r\n").into_bytes();
        let (start, mut count) = (chunk.len(), 0);
        chunk.reserve_exact(length + LINE_END.len());
        for block in blocks {
            chunk.extend_from_slice(block);
            count += 1;
        }
        chunk.extend_from_slice(LINE_END);
        Self { chunk: Bytes::from(chunk), start: u32::try_from(start).unwrap_or(u32::MAX), count }
    }

    /// Number of blocks.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count as usize
    }

    fn start(&self) -> usize {
        self.start as usize
    }

    /// The block.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.chunk[self.start()..self.chunk.len() - LINE_END.len()]
    }

    /// The block as a shared buffer.
    #[must_use]
    pub fn share(&self) -> Bytes {
        self.chunk.slice(self.start()..self.chunk.len() - LINE_END.len())
    }

    /// The block as a chunk of HTTP/1.1.
    #[must_use]
    pub fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Size of the block.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunk.len() - LINE_END.len() - self.start()
    }

    /// Whether the block is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_and_its_chunk_share_one_buffer() {
        let block = Block::new(b"id: e.17\n\n");
        assert_eq!(block.content(), b"id: e.17\n\n");
        assert_eq!(block.chunk(), b"a\r\nid: e.17\n\n\r\n");
        assert_eq!(block.share().as_ptr(), block.chunk()[3..].as_ptr());
        assert_eq!((block.len(), block.is_empty()), (10, false));
        let two = Block::of([&b"id: e.1\n\n"[..], b"id: e.2\n\n"].into_iter());
        assert_eq!((two.content(), two.count(), block.count()), (&b"id: e.1\n\nid: e.2\n\n"[..], 2, 1));
        assert_eq!(Block::new(&[b'x'; 255]).chunk()[..4], *b"ff\r\n");
    }
}
