//! One block of a stream, encoded once for every socket.

use bytes::Bytes;

/// A block with the framing of a chunk of HTTP/1.1 around it, so that both forms are slices of one buffer.
#[derive(Debug, Clone)]
pub struct Block {
    chunk: Bytes,
    start: usize,
}

const LINE_END: &[u8] = b"\r\n";

impl Block {
    /// Copies a block. It must not be empty, because an empty chunk ends a body.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        let size = format!("{:x}\r\n", content.len());
        let chunk = [size.as_bytes(), content, LINE_END].concat();
        Self { chunk: Bytes::from(chunk), start: size.len() }
    }

    /// The block.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.chunk[self.start..self.chunk.len() - LINE_END.len()]
    }

    /// The block as a shared buffer.
    #[must_use]
    pub fn share(&self) -> Bytes {
        self.chunk.slice(self.start..self.chunk.len() - LINE_END.len())
    }

    /// The block as a chunk of HTTP/1.1.
    #[must_use]
    pub fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Size of the block.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunk.len() - LINE_END.len() - self.start
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
        assert_eq!(Block::new(&[b'x'; 255]).chunk()[..4], *b"ff\r\n");
    }
}
