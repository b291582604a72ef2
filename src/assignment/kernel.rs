//! The loops over dense lines, compiled for the vector units of the machine that runs them.
//!
//! The bodies are plain safe Rust, written so that the compiler vectorizes them. Every version does the same operations
//! on the same numbers in an order that does not matter (only minima and comparisons; the one sum goes over fixed
//! lanes), so the answers do not depend on the machine.
// With only the baseline, SSE2, cold solves of the hard kind (gradients) took 1.4 times as long in all.
#![allow(unsafe_code, reason = "loops for a vector unit are called where it was found, right before the call")]

use super::holdings::Entry;
use crate::vector_unit::VectorUnit;
use crate::vector_unit::vectorized;

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
    /// min_k (c_k − v_k), and a threshold with at least `rank` ≤ 32 entries c_k − v_k below or at it (all, if there are
    /// fewer); on random data about 32·ln(32/(32 − rank)) of them.
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
    let mut least = match VectorUnit::chosen() {
        // SAFETY: the unit was found on this machine.
        #[cfg(target_arch = "x86_64")]
        VectorUnit::Avx512 | VectorUnit::Avx512Counting => unsafe { collect_avx512(chunks, v_chunks, &mut sink) },
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
    // Which of two zeros is the lesser is up to the vector unit: −0 becomes 0.
    least + 0.0
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
    use super::super::{Assignment, AssignmentSolver, solve_rectangular};
    use super::*;
    use crate::instance::rng;
    use crate::vector_unit::forcing::on_every_unit;
    use nalgebra::DMatrix;
    use rand::RngExt;
    fn bits(numbers: &[f64]) -> Vec<u64> {
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    /// Numbers with ties, negative ones, both zeros and infinities among them.
    fn line(length: usize, stream: usize) -> Vec<f64> {
        let number = |k: usize| match (k * 7919 + stream * 104_729) % 61 {
            20 => [0.0, -0.0][k % 2],
            residue => (residue as f64 - 20.0) / 3.0,
        };
        (0..length).map(|k| if k % 13 == 5 { f64::INFINITY } else { number(k) }).collect()
    }

    #[test]
    fn every_vector_unit_collects_what_the_definition_says_and_bounds_the_rest() {
        for length in [1, 7, 8, 31, 32, 33, 100, 257] {
            let costs = line(length, 1);
            let v: Vec<f64> = line(length, 2).iter().map(|x| if x.is_finite() { *x } else { 0.0 }).collect();
            let values: Vec<f64> = costs.iter().zip(&v).map(|(c, v)| c - v).collect();
            let least = values.iter().fold(f64::INFINITY, |a, &b| a.min(b));
            for limit in [least - 1.0, least, 0.0, 3.0, f64::MAX] {
                let below: Vec<usize> = (0..length).filter(|&k| values[k] <= limit).collect();
                let above = values.iter().filter(|&&x| x > limit).fold(f64::INFINITY, |a, &b| a.min(b));
                let answers = on_every_unit(|| {
                    let mut found = Vec::new();
                    let rest = collect(&costs, &v, limit, 10, &mut found);
                    (rest, found)
                });
                let first_rest = answers[0].1.0;
                for (unit, (rest, found)) in answers {
                    let places: Vec<usize> = found.iter().map(|(_, entry)| entry.place as usize - 10).collect();
                    assert_eq!((places, rest), (below.clone(), above), "{unit:?}, length {length}, limit {limit}");
                    assert!(found.iter().all(|(x, e)| x.to_bits() == values[e.place as usize - 10].to_bits()));
                    assert_eq!(rest.to_bits(), first_rest.to_bits(), "{unit:?}, length {length}, limit {limit}");
                }
            }
            for rank in [1, 12, 28, 32] {
                let answers = on_every_unit(|| smallest_and_threshold(&costs, &v, rank));
                for (unit, (smallest, limit)) in &answers {
                    assert_eq!(*smallest, least, "{unit:?}");
                    let count = values.iter().filter(|x| *x <= limit).count();
                    assert!(count >= (rank as usize).min(length), "{unit:?}: {count} of {length} for rank {rank}");
                    let (first_smallest, first_limit) = answers[0].1;
                    assert_eq!(bits(&[*smallest, *limit]), bits(&[first_smallest, first_limit]), "{unit:?}");
                }
            }
            let lowered = on_every_unit(|| {
                let mut lowered = v.clone();
                lower(&mut lowered, &costs);
                lowered
            });
            for (unit, lowered) in &lowered {
                assert!(lowered.iter().zip(v.iter().zip(&costs)).all(|(&low, (&v, &c))| low == v.min(c)), "{unit:?}");
                assert_eq!(bits(lowered), bits(&lowered_of_the_baseline(&v, &costs)), "{unit:?}");
            }
        }
    }

    fn lowered_of_the_baseline(v: &[f64], costs: &[f64]) -> Vec<f64> {
        v.iter().zip(costs).map(|(&v, &c)| if c < v { c } else { v }).collect()
    }

    /// Both zeros are at the limit above which something is left: whichever is the least, its bits are the same
    /// everywhere.
    #[test]
    fn the_sign_of_a_zero_does_not_depend_on_the_vector_unit() {
        for length in 9..40 {
            for place in 0..length {
                let costs: Vec<f64> = (0..length).map(|k| if k == place { 0.0 } else { -0.0 }).collect();
                let v = vec![0.0; length];
                let rests = on_every_unit(|| collect(&costs, &v, -1.0, 0, &mut Vec::new()).to_bits());
                assert!(rests.iter().all(|(_, rest)| *rest == rests[0].1), "{place} of {length}: {rests:?}");
            }
        }
    }

    #[test]
    fn a_sum_of_magnitudes_shows_what_is_not_finite_and_is_the_same_on_every_vector_unit() {
        let mut costs: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(on_every_unit(|| magnitude(&costs)).iter().all(|(_, sum)| *sum == 4950.0));
        let rough: Vec<f64> = (0..100).map(|k| f64::from(k).sin() * 1e10f64.powi(k % 3)).collect();
        let sums = on_every_unit(|| magnitude(&rough).to_bits());
        assert!(sums.iter().all(|(_, sum)| *sum == sums[0].1), "{sums:?}");
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for place in [0, 50, 99] {
                let kept = std::mem::replace(&mut costs[place], bad);
                assert!(on_every_unit(|| magnitude(&costs)).iter().all(|(_, sum)| !sum.is_finite()));
                costs[place] = kept;
            }
        }
    }

    /// Cold, warm and rectangular solutions of problems with ties, infinities and wide ranges.
    #[test]
    fn assignments_and_their_duals_have_the_same_bits_on_every_vector_unit() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        // An interpreter takes its time.
        let (sizes, trials) = if cfg!(miri) { (&[1, 5, 8, 33][..], 4) } else { (&[1, 5, 8, 33, 70, 150, 300][..], 28) };
        for (trial, &n) in sizes.iter().cycle().take(trials).enumerate() {
            let solved = || {
                let rng = &mut rng(trial as u64, 16);
                let entry = |rng: &mut rand_chacha::ChaCha8Rng| match trial % 4 {
                    0 => rng.random::<f64>(),
                    1 => f64::from(rng.random_range(-2..3)) * 0.1,
                    2 => 10f64.powf(rng.random_range(-6.0..6.0)),
                    _ if rng.random::<f64>() < 0.05 => f64::INFINITY,
                    _ => f64::from(rng.random_range(0..1000)),
                };
                let mut cost = DMatrix::from_fn(n, n, |_, _| entry(rng));
                let mut solver = AssignmentSolver::new();
                let mut numbers = Vec::new();
                for _ in 0..5 {
                    if solver.solve(&cost).is_ok() {
                        let Assignment { permutation, value, row_duals, column_duals } = solver.assignment();
                        numbers.extend(permutation.image().iter().map(|&column| column as f64));
                        numbers.extend([&[value], &row_duals[..], &column_duals].concat());
                    }
                    if let Ok(part) = solve_rectangular(&cost.rows(0, n.div_ceil(2)).into_owned()) {
                        numbers.extend([&[part.value], &part.row_duals[..], &part.column_duals].concat());
                    }
                    for _ in 0..2 * n {
                        cost[(rng.random_range(0..n), rng.random_range(0..n))] = entry(rng);
                    }
                }
                bits(&numbers)
            };
            let answers = pool.install(|| on_every_unit(solved));
            assert!(n == 5 || !answers[0].1.is_empty());
            assert!(answers.iter().all(|(_, answer)| *answer == answers[0].1), "trial {trial}, n = {n}");
        }
    }
}
