//! Bytes as a source of random numbers, so that a fuzzer's inputs choose what is drawn.

use rand::SeedableRng;
use rand::rand_core::{Infallible, TryRng};
use rand_chacha::ChaCha8Rng;

/// The bytes, one draw after the other; then numbers that depend on how many there were.
pub struct Draws<'a> {
    left: &'a [u8],
    after: ChaCha8Rng,
}

impl<'a> Draws<'a> {
    pub fn from(bytes: &'a [u8]) -> Self {
        Draws { left: bytes, after: ChaCha8Rng::seed_from_u64(bytes.len() as u64) }
    }
}

impl TryRng for Draws<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        match self.left.split_first_chunk() {
            Some((chunk, left)) => {
                self.left = left;
                Ok(u32::from_le_bytes(*chunk))
            }
            None => self.after.try_next_u32(),
        }
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.try_next_u32()?) | u64::from(self.try_next_u32()?) << 32)
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(4) {
            chunk.copy_from_slice(&self.try_next_u32()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
