//! The loop that counts bits, compiled for the vector unit of the machine that runs it.
//!
//! The body is safe Rust on whole numbers, so every version gives the same answer.
// Calling a function compiled for a vector unit is unsafe unless that unit exists, which is tested right before the call. The
// baseline has no instruction that counts bits at all.
#![allow(unsafe_code)]

/// `target[i] ← beta·target[i] + c·Σ_w |rows[w][i] ∧ bits[w]|`.
#[inline]
pub(super) fn blend_counts<const L: usize>(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx512f") && has!("avx512dq") && has!("avx512vl") && has!("avx512vpopcntdq") {
            // SAFETY: the unit was found on this machine.
            return unsafe { avx512(rows, bits, c, beta, target) };
        }
        if has!("avx2") && has!("popcnt") {
            // SAFETY: the unit was found on this machine.
            return unsafe { avx2(rows, bits, c, beta, target) };
        }
    }
    body(rows, bits, c, beta, target);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512vpopcntdq")]
fn avx512<const L: usize>(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) {
    body(rows, bits, c, beta, target);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn avx2<const L: usize>(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) {
    body(rows, bits, c, beta, target);
}

#[inline(always)]
fn body<const L: usize>(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) {
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

    #[test]
    fn every_vector_unit_counts_as_the_plain_loop_does() {
        let word = |k: u64| (k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(k as u32 % 64);
        let rows: Vec<[u64; 32]> = (0..5).map(|w| std::array::from_fn(|lane| word(w * 32 + lane as u64))).collect();
        let bits: Vec<u64> = (0..5).map(|w| word(1000 + w)).collect();
        for length in [1, 7, 32] {
            for beta in [0.0, 0.75, 1.0] {
                let (mut dispatched, mut plain) = (vec![3.0; length], vec![3.0; length]);
                blend_counts(&rows, &bits, 1.5, beta, &mut dispatched);
                body(&rows, &bits, 1.5, beta, &mut plain);
                assert_eq!(dispatched, plain);
                let count: u32 = rows.iter().zip(&bits).map(|(row, word)| (row[0] & word).count_ones()).sum();
                assert_eq!(plain[0], beta * 3.0 + 1.5 * f64::from(count));
            }
        }
    }
}
