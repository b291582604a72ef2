//! The loop that counts bits, compiled for the vector unit of the machine that runs it.
//!
//! The body is safe Rust on whole numbers, so every version gives the same answer.
// The baseline has no instruction that counts bits at all.
#![allow(unsafe_code, reason = "loops for a vector unit are called where it was found, right before the call")]

use crate::vector_unit::vectorized;

vectorized! {
    /// `target[i] ← beta·target[i] + c·Σ_w |rows[w][i] ∧ bits[w]|`.
    blend_counts<const L: usize> =
        blend_counts_body(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) -> ()
}

#[inline(always)]
fn blend_counts_body<const L: usize>(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) {
    let mut counts = [0u64; L];
    for (row, &word) in rows.iter().zip(bits) {
        for lane in 0..L {
            counts[lane] += u64::from((row[lane] & word).count_ones());
        }
    }
    // 0·∞ would be NaN; a fresh product overwrites what was there.
    if beta == 0.0 {
        target.iter_mut().zip(&counts).for_each(|(t, &count)| *t = c * count as f64);
    } else {
        target.iter_mut().zip(&counts).for_each(|(t, &count)| *t = beta * *t + c * count as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector_unit::forcing::on_every_unit;

    #[test]
    fn every_vector_unit_counts_the_bits_and_rounds_alike() {
        let word = |k: u64| (k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(k as u32 % 64);
        let rows: Vec<[u64; 32]> = (0..5).map(|w| std::array::from_fn(|lane| word(w * 32 + lane as u64))).collect();
        let bits: Vec<u64> = (0..5).map(|w| word(1000 + w)).collect();
        for (length, words) in [1, 7, 8, 31, 32].into_iter().flat_map(|length| [(length, 0), (length, 1), (length, 5)])
        {
            // A fused multiply-add would round 0.1·old + 1.7·count otherwise.
            for (beta, c) in [(0.0, 1.5), (0.75, -2.0), (1.0, 1.7), (0.1, 1.7)] {
                let blended = on_every_unit(|| {
                    let mut target = vec![3.3; length];
                    blend_counts(&rows[..words], &bits[..words], c, beta, &mut target);
                    target
                });
                for (unit, target) in blended {
                    for (lane, blended) in target.into_iter().enumerate() {
                        let pairs = rows[..words].iter().zip(&bits);
                        let count: u32 = pairs.map(|(row, word)| (row[lane] & word).count_ones()).sum();
                        let counted = c * f64::from(count);
                        let expected = if beta == 0.0 { counted } else { beta * 3.3 + counted };
                        assert_eq!(blended.to_bits(), expected.to_bits(), "{unit:?}, lane {lane} of {length}");
                    }
                }
            }
            let fresh = on_every_unit(|| {
                let mut fresh = vec![f64::INFINITY; length];
                blend_counts(&rows[..words], &bits[..words], 1.0, 0.0, &mut fresh);
                fresh
            });
            assert!(fresh.iter().all(|(_, fresh)| fresh.iter().all(|entry| entry.is_finite())), "0·∞ is overwritten");
        }
    }
}
