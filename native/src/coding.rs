//! Compresses contents in the content codings that clients accept.

use std::io::{self, Write as _};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::negotiation::accepts_coding;

/// Low levels: a page of history shrinks to a quarter (`benches/results/2026-11-28-compression.md`).
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: i32 = 4;
const GZIP_LEVEL: u32 = 5;
/// The window covers every content that is compressed.
const BROTLI_WINDOW_BITS: i32 = 20;

/// A content coding.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub enum Coding {
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
    /// gzip (RFC 1952).
    Gzip,
}

/// The codings, the cheapest first.
pub const CODINGS: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

impl Coding {
    /// Returns the name in headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Chooses the cheapest coding that an `Accept-Encoding` header names.
    #[must_use]
    pub fn choose(header: &str) -> Option<Self> {
        CODINGS.into_iter().find(|coding| accepts_coding(header, coding.name()))
    }

    /// Compresses a content.
    ///
    /// # Errors
    /// [`io::Error`]: the encoder fails, for example because it gets no memory.
    pub fn compress(self, content: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(content, ZSTD_LEVEL),
            Self::Brotli => {
                let mut out = Vec::with_capacity(content.len() / 2);
                let parameters =
                    BrotliEncoderParams { quality: BROTLI_LEVEL, lgwin: BROTLI_WINDOW_BITS, ..Default::default() };
                brotli::BrotliCompress(&mut &*content, &mut out, &parameters)?;
                Ok(out)
            }
            Self::Gzip => {
                let out = Vec::with_capacity(content.len() / 2);
                let mut encoder = GzEncoder::new(out, Compression::new(GZIP_LEVEL));
                encoder.write_all(content)?;
                encoder.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn decompressed(coding: Coding, packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let result = match coding {
            Coding::Zstd => zstd::stream::copy_decode(packed, &mut out),
            Coding::Brotli => brotli::BrotliDecompress(&mut &*packed, &mut out),
            Coding::Gzip => flate2::read::GzDecoder::new(packed).read_to_end(&mut out).map(|_| ()),
        };
        result.expect("the packed content is valid");
        out
    }

    #[test]
    fn every_coding_restores_the_content() {
        let contents = [String::new(), "a".to_owned(), "Good morning. ".repeat(10_000), "\u{1f44d}".repeat(300)];
        for coding in CODINGS {
            for content in &contents {
                let packed = coding.compress(content.as_bytes()).expect("there is memory");
                assert_eq!(decompressed(coding, &packed), content.as_bytes());
                assert!(content.len() < 1_000 || packed.len() * 10 < content.len());
            }
        }
    }

    #[test]
    fn the_cheapest_accepted_coding_is_chosen() {
        for (header, chosen) in [
            ("gzip, deflate, br, zstd", Some(Coding::Zstd)),
            ("gzip, deflate, br, zstd;q=0", Some(Coding::Brotli)),
            ("gzip;q=1.0, *;q=0", Some(Coding::Gzip)),
            ("identity", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(Coding::choose(header), chosen, "{header}");
        }
    }
}
