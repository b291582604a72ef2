//! The loops over dense lines, compiled for the vector units of the machine that runs them.
//!
//! The bodies are plain safe Rust, written so that the compiler vectorizes them. Each is compiled three times: with AVX-512, with
//! AVX2, and for the baseline. Every version does the same operations on the same numbers in an order that does not matter (only
//! minima and comparisons, no sums but the one that tests for overflow), so the answers do not depend on the machine.
// Calling a function compiled for a vector unit is unsafe unless that unit exists, which is tested right before the call. With only
// the baseline, SSE2, cold solves of the hard kind (gradients) took 1.4 times as long in all.
#![allow(unsafe_code)]

use super::shortlist::Entry;

/// Defines `$name`, which runs `$body` as compiled for the best vector unit there is.
macro_rules! vectorized {
    ($(#[$doc:meta])* $name:ident = $body:ident($($arg:ident: $type:ty),*) -> $result:ty) => {
        $(#[$doc])*
        #[inline]
        pub(super) fn $name($($arg: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,popcnt")]
                fn avx512($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
                fn avx2($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                match vector_unit() {
                    // SAFETY: the unit was found on this machine.
                    VectorUnit::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: the unit was found on this machine.
                    VectorUnit::Avx2 => return unsafe { avx2($($arg),*) },
                    VectorUnit::Baseline => {}
                }
            }
            $body($($arg),*)
        }
    };
}

enum VectorUnit {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Baseline,
}

#[cfg(not(target_arch = "x86_64"))]
fn vector_unit() -> VectorUnit {
    VectorUnit::Baseline
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn vector_unit() -> VectorUnit {
    use std::arch::is_x86_feature_detected as has;
    let avx2 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt");
    if avx2 && has!("avx512f") && has!("avx512vl") && has!("avx512dq") && has!("avx512bw") {
        VectorUnit::Avx512
    } else if avx2 {
        VectorUnit::Avx2
    } else {
        VectorUnit::Baseline
    }
}

/// How many running minima a scan keeps side by side.
const LANES: usize = 32;

/// How many entries are tested at once for the threshold.
const CHUNK: usize = 8;

/// The minimum of c_k − v_k over the k of each residue class modulo LANES.
#[inline(always)]
fn lane_minima(costs: &[f64], v: &[f64]) -> [f64; LANES] {
    let mut minima = [f64::INFINITY; LANES];
    let (costs, costs_tail) = costs.as_chunks::<LANES>();
    let (v, v_tail) = v.as_chunks::<LANES>();
    for (c, v) in costs.iter().zip(v) {
        for lane in 0..LANES {
            let value = c[lane] - v[lane];
            minima[lane] = if value < minima[lane] { value } else { minima[lane] };
        }
    }
    for (lane, (&c, &v)) in costs_tail.iter().zip(v_tail).enumerate() {
        let value = c - v;
        minima[lane] = if value < minima[lane] { value } else { minima[lane] };
    }
    minima
}

vectorized! {
    /// v_k ← min(v_k, c_k).
    lower = lower_body(v: &mut [f64], costs: &[f64]) -> ()
}

#[inline(always)]
fn lower_body(v: &mut [f64], costs: &[f64]) {
    for (v, &c) in v.iter_mut().zip(costs) {
        *v = if c < *v { c } else { *v };
    }
}

vectorized! {
    /// Σ |c_k|: finite unless an entry is not, or the sum overflows.
    magnitude = magnitude_body(costs: &[f64]) -> f64
}

#[inline(always)]
fn magnitude_body(costs: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (costs, tail) = costs.as_chunks::<LANES>();
    for c in costs {
        for lane in 0..LANES {
            sums[lane] += c[lane].abs();
        }
    }
    sums.iter().sum::<f64>() + tail.iter().map(|c| c.abs()).sum::<f64>()
}

vectorized! {
    /// min_k (c_k − v_k), and a threshold with at least `rank` ≤ 32 entries c_k − v_k below or at it (all, if there are fewer); on
    /// random data about 32·ln(32/(32 − rank)) of them.
    smallest_and_threshold = smallest_and_threshold_body(costs: &[f64], v: &[f64], rank: u32) -> (f64, f64)
}

#[inline(always)]
fn smallest_and_threshold_body(costs: &[f64], v: &[f64], rank: u32) -> (f64, f64) {
    let minima = lane_minima(costs, v);
    let mut ranks = [0u64; LANES];
    for &other in &minima {
        for lane in 0..LANES {
            ranks[lane] += u64::from(other <= minima[lane]);
        }
    }
    let (mut smallest, mut threshold) = (f64::INFINITY, f64::INFINITY);
    for lane in 0..LANES {
        let value = if ranks[lane] >= u64::from(rank) { minima[lane] } else { f64::INFINITY };
        threshold = if value < threshold { value } else { threshold };
        smallest = if minima[lane] < smallest { minima[lane] } else { smallest };
    }
    (smallest, threshold)
}

/// Appends the entries with c_k − v_k ≤ `threshold`, the place counted from `first`; returns the least of the others.
#[inline]
pub(super) fn collect(costs: &[f64], v: &[f64], threshold: f64, first: usize, found: &mut Vec<(f64, Entry)>) -> f64 {
    let (chunks, tail) = costs.as_chunks::<CHUNK>();
    let (v_chunks, v_tail) = v.as_chunks::<CHUNK>();
    let mut sink = Sink { threshold, first, found };
    let mut least = match vector_unit() {
        // SAFETY: the unit was found on this machine.
        #[cfg(target_arch = "x86_64")]
        VectorUnit::Avx512 => unsafe { collect_avx512(chunks, v_chunks, &mut sink) },
        // SAFETY: the unit was found on this machine.
        #[cfg(target_arch = "x86_64")]
        VectorUnit::Avx2 => unsafe { collect_avx2(chunks, v_chunks, &mut sink) },
        VectorUnit::Baseline => {
            let mut least = f64::INFINITY;
            for (index, (c, v)) in chunks.iter().zip(v_chunks).enumerate() {
                least = sink.take_each(index, c, v, least);
            }
            least
        }
    };
    least = sink.take_each(chunks.len(), tail, v_tail, least);
    least
}

/// Where the entries go that pass the threshold.
struct Sink<'a> {
    threshold: f64,
    first: usize,
    found: &'a mut Vec<(f64, Entry)>,
}

impl Sink<'_> {
    #[inline]
    fn take(&mut self, chunk: usize, k: usize, cost: f64, v: f64) {
        self.found.push((cost - v, Entry { cost, place: (self.first + chunk * CHUNK + k) as u32 }));
    }

    /// The entries whose bit is set in the mask.
    #[inline]
    fn take_masked(&mut self, chunk: usize, c: &[f64; CHUNK], v: &[f64; CHUNK], mut mask: u32) {
        while mask != 0 {
            let k = mask.trailing_zeros() as usize % CHUNK;
            mask &= mask - 1;
            self.take(chunk, k, c[k], v[k]);
        }
    }

    /// The entries one by one; returns the lesser of `least` and the least that does not pass.
    #[inline]
    fn take_each(&mut self, chunk: usize, c: &[f64], v: &[f64], mut least: f64) -> f64 {
        for (k, (&cost, &v)) in c.iter().zip(v).enumerate() {
            let value = cost - v;
            if value <= self.threshold {
                self.take(chunk, k, cost, v);
            } else if value < least {
                least = value;
            }
        }
        least
    }
}

// The compiler does not find the comparison mask by itself, so these two are written out.

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2,popcnt")]
fn collect_avx512(c: &[[f64; CHUNK]], v: &[[f64; CHUNK]], sink: &mut Sink) -> f64 {
    use std::arch::x86_64::*;
    let threshold = _mm512_set1_pd(sink.threshold);
    let mut above = _mm512_set1_pd(f64::INFINITY);
    for (index, (c, v)) in c.iter().zip(v).enumerate() {
        // SAFETY: both arrays hold eight numbers.
        let values = unsafe { _mm512_sub_pd(_mm512_loadu_pd(c.as_ptr()), _mm512_loadu_pd(v.as_ptr())) };
        let mask = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(values, threshold);
        above = _mm512_mask_min_pd(above, !mask, above, values);
        if mask != 0 {
            sink.take_masked(index, c, v, u32::from(mask));
        }
    }
    _mm512_reduce_min_pd(above)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn collect_avx2(c: &[[f64; CHUNK]], v: &[[f64; CHUNK]], sink: &mut Sink) -> f64 {
    use std::arch::x86_64::*;
    let threshold = _mm256_set1_pd(sink.threshold);
    let infinity = _mm256_set1_pd(f64::INFINITY);
    let mut above = [infinity; 2];
    for (index, (c, v)) in c.iter().zip(v).enumerate() {
        let mut mask = 0;
        for (half, above) in above.iter_mut().enumerate() {
            // SAFETY: both arrays hold eight numbers, and four are read from the first or the fifth on.
            let values = unsafe {
                _mm256_sub_pd(_mm256_loadu_pd(c.as_ptr().add(4 * half)), _mm256_loadu_pd(v.as_ptr().add(4 * half)))
            };
            let passes = _mm256_cmp_pd::<_CMP_LE_OQ>(values, threshold);
            *above = _mm256_min_pd(*above, _mm256_blendv_pd(values, infinity, passes));
            mask |= (_mm256_movemask_pd(passes) as u32) << (4 * half);
        }
        if mask != 0 {
            sink.take_masked(index, c, v, mask);
        }
    }
    let mut lanes = [0.0; 4];
    // SAFETY: the array holds four numbers.
    unsafe { _mm256_storeu_pd(lanes.as_mut_ptr(), _mm256_min_pd(above[0], above[1])) };
    lanes.iter().fold(f64::INFINITY, |a, &b| if b < a { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with ties, negative ones and infinities among them.
    fn line(length: usize, stream: usize) -> Vec<f64> {
        let number = |k: usize| ((k * 7919 + stream * 104_729) % 61) as f64 - 20.0;
        (0..length).map(|k| if k % 13 == 5 { f64::INFINITY } else { number(k) / 3.0 }).collect()
    }

    #[test]
    fn every_vector_unit_does_what_the_plain_loop_does() {
        for length in [1, 7, 8, 31, 32, 33, 100, 257] {
            let costs = line(length, 1);
            let v: Vec<f64> = line(length, 2).iter().map(|x| if x.is_finite() { *x } else { 0.0 }).collect();
            let values: Vec<f64> = costs.iter().zip(&v).map(|(c, v)| c - v).collect();
            let least = values.iter().fold(f64::INFINITY, |a, &b| a.min(b));
            for limit in [least - 1.0, least, 0.0, 3.0, f64::MAX] {
                let below: Vec<usize> = (0..length).filter(|&k| values[k] <= limit).collect();
                let above = values.iter().filter(|&&x| x > limit).fold(f64::INFINITY, |a, &b| a.min(b));
                let check = |rest: f64, found: Vec<(f64, Entry)>| {
                    let places: Vec<usize> = found.iter().map(|(_, entry)| entry.place as usize - 10).collect();
                    assert_eq!((places, rest), (below.clone(), above), "length {length}, limit {limit}");
                    assert!(found.iter().all(|(x, e)| *x == values[e.place as usize - 10]));
                };
                let mut found = Vec::new();
                check(collect(&costs, &v, limit, 10, &mut found), found);
                let mut found = Vec::new();
                let mut sink = Sink { threshold: limit, first: 10, found: &mut found };
                check(sink.take_each(0, &costs, &v, f64::INFINITY), found);
                #[cfg(target_arch = "x86_64")]
                if matches!(vector_unit(), VectorUnit::Avx2 | VectorUnit::Avx512) {
                    let whole = length - length % CHUNK;
                    let mut found = Vec::new();
                    let mut sink = Sink { threshold: limit, first: 10, found: &mut found };
                    let (c, v8) = (costs.as_chunks().0, v.as_chunks().0);
                    // SAFETY: the unit was found on this machine.
                    let rest = unsafe { collect_avx2(c, v8, &mut sink) };
                    let rest = sink.take_each(whole / CHUNK, &costs[whole..], &v[whole..], rest);
                    check(rest, found);
                }
            }
            for rank in [1, 12, 28, 32] {
                let (smallest, limit) = smallest_and_threshold(&costs, &v, rank);
                assert_eq!(smallest, least);
                let count = values.iter().filter(|&&x| x <= limit).count();
                assert!(count >= (rank as usize).min(length), "{count} of {length} for rank {rank}");
            }
        }
    }

    #[test]
    fn a_sum_of_magnitudes_shows_what_is_not_finite() {
        let mut costs: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(magnitude(&costs), 4950.0);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for place in [0, 50, 99] {
                let kept = std::mem::replace(&mut costs[place], bad);
                assert!(!magnitude(&costs).is_finite());
                costs[place] = kept;
            }
        }
    }
}
