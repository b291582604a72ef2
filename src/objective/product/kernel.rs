//! The loop that counts bits, compiled for the vector unit of the machine that runs it.
//!
//! The body is safe Rust on whole numbers, so every version gives the same answer.
// The baseline has no instruction that counts bits at all.
#![allow(unsafe_code, reason = "loops for a vector unit are called where it was found, right before the call")]

/// What the loop is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VectorUnit {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Baseline,
}

impl VectorUnit {
    /// Whether this machine has it.
    #[inline]
    fn is_here(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        use std::arch::is_x86_feature_detected as has;
        match self {
            #[cfg(target_arch = "x86_64")]
            VectorUnit::Avx512 => has!("avx512f") && has!("avx512dq") && has!("avx512vl") && has!("avx512vpopcntdq"),
            #[cfg(target_arch = "x86_64")]
            VectorUnit::Avx2 => has!("avx2") && has!("popcnt"),
            VectorUnit::Baseline => true,
        }
    }

    /// The best one that is here.
    #[inline]
    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        for unit in [VectorUnit::Avx512, VectorUnit::Avx2] {
            if unit.is_here() {
                return unit;
            }
        }
        VectorUnit::Baseline
    }
}

/// `target[i] ← beta·target[i] + c·Σ_w |rows[w][i] ∧ bits[w]|`.
#[inline]
pub(super) fn blend_counts<const L: usize>(rows: &[[u64; L]], bits: &[u64], c: f64, beta: f64, target: &mut [f64]) {
    // SAFETY: the best unit is one that was found on this machine.
    unsafe { blend_counts_on(VectorUnit::best(), rows, bits, c, beta, target) }
}

/// # Safety
/// The unit must be on this machine.
#[inline]
unsafe fn blend_counts_on<const L: usize>(
    unit: VectorUnit,
    rows: &[[u64; L]],
    bits: &[u64],
    c: f64,
    beta: f64,
    target: &mut [f64],
) {
    match unit {
        // SAFETY: the caller found the unit.
        #[cfg(target_arch = "x86_64")]
        VectorUnit::Avx512 => unsafe { avx512(rows, bits, c, beta, target) },
        // SAFETY: the caller found the unit.
        #[cfg(target_arch = "x86_64")]
        VectorUnit::Avx2 => unsafe { avx2(rows, bits, c, beta, target) },
        VectorUnit::Baseline => body(rows, bits, c, beta, target),
    }
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

    #[cfg(target_arch = "x86_64")]
    const UNITS: [VectorUnit; 3] = [VectorUnit::Baseline, VectorUnit::Avx2, VectorUnit::Avx512];
    #[cfg(not(target_arch = "x86_64"))]
    const UNITS: [VectorUnit; 1] = [VectorUnit::Baseline];

    #[test]
    fn every_vector_unit_counts_the_bits_and_rounds_alike() {
        let word = |k: u64| (k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(k as u32 % 64);
        let rows: Vec<[u64; 32]> = (0..5).map(|w| std::array::from_fn(|lane| word(w * 32 + lane as u64))).collect();
        let bits: Vec<u64> = (0..5).map(|w| word(1000 + w)).collect();
        for unit in UNITS {
            if !unit.is_here() {
                eprintln!("skipped: this processor has no {unit:?}");
                continue;
            }
            for (length, words) in
                [1, 7, 8, 31, 32].into_iter().flat_map(|length| [(length, 0), (length, 1), (length, 5)])
            {
                // A fused multiply-add would round 0.1·old + 1.7·count otherwise.
                for (beta, c) in [(0.0, 1.5), (0.75, -2.0), (1.0, 1.7), (0.1, 1.7)] {
                    let (mut target, old) = (vec![3.3; length], 3.3);
                    // SAFETY: the unit is here.
                    unsafe { blend_counts_on(unit, &rows[..words], &bits[..words], c, beta, &mut target) };
                    for (lane, blended) in target.into_iter().enumerate() {
                        let pairs = rows[..words].iter().zip(&bits);
                        let count: u32 = pairs.map(|(row, word)| (row[lane] & word).count_ones()).sum();
                        let expected =
                            if beta == 0.0 { c * f64::from(count) } else { beta * old + c * f64::from(count) };
                        assert_eq!(blended.to_bits(), expected.to_bits(), "{unit:?}, lane {lane} of {length}");
                    }
                }
                let mut fresh = vec![f64::INFINITY; length];
                // SAFETY: the unit is here.
                unsafe { blend_counts_on(unit, &rows[..words], &bits[..words], 1.0, 0.0, &mut fresh) };
                assert!(fresh.iter().all(|entry| entry.is_finite()), "0·∞ is overwritten");
            }
        }
    }
}
