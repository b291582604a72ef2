//! Arithmetic on f64 whose rounding is known: what proofs are made of.
//!
//! A sum of products of f64 is a rational number. [`ExactSum`] holds it without any rounding, [`two_sum`] gives a sum
//! with its error, [`Lattice`] tells which data need none of this because every intermediate result is a f64.

use std::cmp::Ordering;

/// u = 2⁻⁵³: a rounded result is the true one times 1 + δ with |δ| ≤ u, while it is normal.
pub(crate) const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// Multiples of a number below this many of it are f64, and so are their sums.
const LARGEST_WHOLE: f64 = (1u64 << 53) as f64;

/// The relative error of a sum of so many terms in any order, each a product or a square of a difference, to the sum of
/// their absolute values (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, §4.2), with room for its own
/// rounding.
pub(crate) fn sum_error(terms: usize) -> f64 {
    1.01 * (terms as f64 + 4.0) * UNIT_ROUNDOFF
}

/// (s, e) with s + e = a + b exactly and s = a + b rounded; a and b finite (Knuth, TAOCP vol. 2, 4.2.2).
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// A sum in twice the precision, which knows whether it lost anything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DoubleSum {
    high: f64,
    low: f64,
    /// Whether some partial sum was no f64.
    is_rounded: bool,
}

impl DoubleSum {
    pub fn add(&mut self, term: f64) {
        let (high, error) = two_sum(self.high, term);
        self.high = high;
        self.low += error;
        self.is_rounded |= error != 0.0;
    }

    pub fn value(self) -> f64 {
        self.high + self.low
    }

    /// A number that the true sum is not below; equal to it where nothing was rounded. `terms` were added, with
    /// absolute values that add up to at most about `magnitude`.
    pub fn rounded_down(self, terms: usize, magnitude: f64) -> f64 {
        if !self.is_rounded {
            return self.high;
        }
        let value = self.value();
        // The errors themselves are summed with an error of terms·u each, and each is u·magnitude at most.
        value - 2.0 * UNIT_ROUNDOFF * value.abs() - 2.0 * (terms as f64 * UNIT_ROUNDOFF).powi(2) * magnitude
    }
}

/// The numbers step·ℤ that a set of f64 lies on, with step as large as possible.
///
/// Whole weights lie on step 1 (or on their greatest common divisor), multiples of ¼ on ¼. Random reals have a step so
/// small that their sums do not fit into 53 bits: then no arithmetic on them is exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lattice {
    /// The largest power of two that divides all of the numbers.
    pub power: f64,
    /// The largest number that divides all of them.
    pub step: f64,
}

impl Lattice {
    /// Of finite numbers; step 0 when there is none but 0, `None` when their quotients do not fit into 53 bits.
    pub fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let (mut divisor, mut exponent) = (0u64, 0);
        for (mantissa, own) in numbers.filter(|&number| number != 0.0).map(odd_part) {
            if divisor == 0 {
                (divisor, exponent) = (mantissa, own);
                continue;
            }
            let least = exponent.min(own);
            divisor = gcd(shifted(divisor, exponent - least)?, shifted(mantissa, own - least)?);
            exponent = least;
        }
        if divisor == 0 {
            return Some(Lattice { power: 0.0, step: 0.0 });
        }
        // Beyond, products of steps would vanish or overflow.
        if !(-250..=250).contains(&exponent) {
            return None;
        }
        let power = 2f64.powi(exponent);
        Some(Lattice { power, step: power * divisor as f64 })
    }

    /// The lattice of products of its numbers and another's; that of the powers alone, where the product of the steps
    /// is no f64.
    pub fn times(self, other: Self) -> Self {
        let (power, step) = (self.power * other.power, self.step * other.step);
        let is_exact = self.step.mul_add(other.step, -step) == 0.0;
        Lattice { power, step: if is_exact { step } else { power } }
    }

    /// The largest number whose square is a f64 and that divides all of them.
    pub fn square_root_of_step(self) -> f64 {
        if self.step.mul_add(self.step, -(self.step * self.step)) == 0.0 { self.step } else { self.power }
    }

    /// The lattice of sums of its numbers and another's.
    pub fn plus(self, other: Self) -> Option<Self> {
        Lattice::of([self.step, other.step].into_iter())
    }

    /// Sums of its numbers are computed exactly, in any order, as long as the absolute values add up to at most this.
    pub fn exact_up_to(self) -> f64 {
        LARGEST_WHOLE * self.power
    }
}

/// |number| = mantissa·2^exponent with an odd mantissa; the number is finite and not 0.
fn odd_part(number: f64) -> (u64, i32) {
    let (mantissa, exponent) = parts(number);
    let zeros = mantissa.trailing_zeros();
    (mantissa >> zeros, exponent + zeros as i32)
}

/// |number| = mantissa·2^exponent with a mantissa below 2⁵³; the number is finite.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let (biased, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) }
}

/// `mantissa`·2^`by`, if it is below 2⁵³.
fn shifted(mantissa: u64, by: i32) -> Option<u64> {
    let fits = by >= 0 && (64 - mantissa.leading_zeros()) as i32 + by <= 53;
    fits.then(|| mantissa << by)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Bits of a limb of [`ExactSum`]; the others take what is carried.
const LIMB_BITS: i32 = 32;

/// The exponent of the lowest bit of the first limb: below 2⁻²¹⁴⁸, the smallest product of two f64.
const LOWEST: i32 = -2176;

/// Limbs from there up to 2²⁰⁴⁸, the largest product, and two for sums of many.
const LIMBS: usize = ((2048 - LOWEST) / LIMB_BITS + 3) as usize;

/// A sum of numbers and products of two f64 each, held exactly: a fixed-point number that spans all of them (Kulisch's
/// long accumulator).
///
/// O(1) a term, about ten operations; 1 kB.
#[derive(Clone)]
pub(crate) struct ExactSum {
    limbs: [i64; LIMBS],
    /// Terms since the carries were last moved up: each changes a limb by less than 2³³.
    terms: u32,
}

impl ExactSum {
    pub fn new() -> Self {
        ExactSum { limbs: [0; LIMBS], terms: 0 }
    }

    /// Adds a·b; both finite.
    pub fn add_product(&mut self, a: f64, b: f64) {
        let ((mantissa_a, exponent_a), (mantissa_b, exponent_b)) = (parts(a), parts(b));
        let mantissa = u128::from(mantissa_a) * u128::from(mantissa_b);
        if mantissa == 0 {
            return;
        }
        let position = exponent_a + exponent_b - LOWEST;
        let (limb, shift) = ((position / LIMB_BITS) as usize, position % LIMB_BITS);
        let sign = if (a < 0.0) == (b < 0.0) { 1 } else { -1 };
        // 106 bits and a shift of up to 31 do not fit into 128 bits: the lowest limb's share goes first.
        let low = ((mantissa as u64 & 0xffff_ffff) << shift) as i64;
        self.limbs[limb] += sign * (low & 0xffff_ffff);
        let mut rest = ((mantissa >> LIMB_BITS) << shift) + (low >> LIMB_BITS) as u128;
        for limb in &mut self.limbs[limb + 1..] {
            if rest == 0 {
                break;
            }
            *limb += sign * (rest as u64 & 0xffff_ffff) as i64;
            rest >>= LIMB_BITS;
        }
        self.terms += 1;
        if self.terms == 1 << 29 {
            self.carry();
        }
    }

    /// Adds a finite number.
    pub fn add(&mut self, number: f64) {
        self.add_product(number, 1.0);
    }

    /// Brings all limbs but the last into 0..2³².
    fn carry(&mut self) {
        let mut carried = 0;
        for limb in &mut self.limbs[..LIMBS - 1] {
            let sum = *limb + carried;
            carried = sum >> LIMB_BITS;
            *limb = sum & 0xffff_ffff;
        }
        self.limbs[LIMBS - 1] += carried;
        self.terms = 0;
    }

    /// How the sum compares with 0.
    pub fn sign(mut self) -> Ordering {
        self.carry();
        match self.limbs[LIMBS - 1] {
            0 if self.limbs.iter().all(|&limb| limb == 0) => Ordering::Equal,
            last if last < 0 => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sign(products: &[(f64, f64)]) -> Ordering {
        let mut sum = ExactSum::new();
        products.iter().for_each(|&(a, b)| sum.add_product(a, b));
        sum.sign()
    }

    #[test]
    fn sums_keep_the_smallest_beside_the_largest() {
        let (large, tiny) = (f64::MAX, f64::from_bits(1));
        assert_eq!(sign(&[(large, large), (tiny, tiny), (-large, large)]), Ordering::Greater);
        assert_eq!(sign(&[(large, large), (tiny, -tiny), (-large, large)]), Ordering::Less);
        assert_eq!(sign(&[(large, -large), (tiny, tiny)]), Ordering::Less);
        assert_eq!(sign(&[(0.1, 3.0), (-0.3, 1.0)]), Ordering::Greater);
        assert_eq!(sign(&[(1e200, 1e-200), (-1e-200, 1e200)]), Ordering::Equal);
        assert_eq!(sign(&[]), Ordering::Equal);
        let mut many = ExactSum::new();
        (0..1000).for_each(|_| many.add(-0.1));
        many.add_product(0.1, 1000.0);
        assert_eq!(many.sign(), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn the_sign_of_a_sum_of_whole_products_is_that_of_integers(
            terms in prop::collection::vec((-1i64 << 40..1i64 << 40, -1i64 << 40..1i64 << 40, -60i32..60), 0..20)
        ) {
            let mut sum = ExactSum::new();
            let mut expected = 0i128;
            for &(a, b, exponent) in &terms {
                // A power of two on one factor, its inverse on the other.
                sum.add_product(a as f64 * 2f64.powi(exponent), b as f64 * 2f64.powi(-exponent));
                expected += i128::from(a) * i128::from(b);
            }
            prop_assert_eq!(sum.sign(), expected.cmp(&0));
        }

        #[test]
        fn a_sum_and_its_error_are_the_sum(a in -1e300..1e300, b in -1e-3..1e3) {
            let (rounded, error) = two_sum(a, b);
            prop_assert_eq!(rounded, a + b);
            let mut sum = ExactSum::new();
            [a, b, -rounded, -error].into_iter().for_each(|term| sum.add(term));
            prop_assert_eq!(sum.sign(), Ordering::Equal);
        }
    }

    #[test]
    fn lattices_have_the_largest_step_that_divides_all() {
        let step = |numbers: &[f64]| Lattice::of(numbers.iter().copied()).map(|lattice| (lattice.power, lattice.step));
        assert_eq!(step(&[1.0, -1.0, 0.0]), Some((1.0, 1.0)));
        assert_eq!(step(&[6.0, -9.0, 12.0]), Some((1.0, 3.0)));
        assert_eq!(step(&[1e6, 0.5]), Some((0.5, 0.5)));
        assert_eq!(step(&[40.0, 8.0]), Some((8.0, 8.0)));
        assert_eq!(step(&[0.0]), Some((0.0, 0.0)));
        assert_eq!(step(&[1e16, 1e-16]), None);
        assert_eq!(step(&[f64::MIN_POSITIVE]), None);
        let whole = Lattice::of([1.0].into_iter()).unwrap();
        assert_eq!(whole.exact_up_to(), 2f64.powi(53));
        let quarter = Lattice::of([0.75, 1.5].into_iter()).unwrap();
        assert_eq!(whole.plus(quarter).unwrap(), Lattice { power: 0.25, step: 0.25 });
        assert_eq!(quarter.times(quarter), Lattice { power: 0.0625, step: 0.5625 });
        // 53 bits have no square of 53 bits.
        let real = Lattice::of([0.7000000000000001].into_iter()).unwrap();
        assert_eq!(real.times(real).step, real.power * real.power);
        assert_eq!((real.square_root_of_step(), quarter.square_root_of_step()), (real.power, 0.75));
    }

    #[test]
    fn double_sums_do_not_lose_what_single_ones_lose() {
        let mut sum = DoubleSum::default();
        [1e16, 1.0, -1e16, 1.0].into_iter().for_each(|term| sum.add(term));
        assert_eq!(sum.value(), 2.0);
        assert!(sum.is_rounded && sum.rounded_down(4, 2e16) < 2.0 && sum.rounded_down(4, 2e16) > 1.999);
        let mut whole = DoubleSum::default();
        [3.0, -1.0, 0.5].into_iter().for_each(|term| whole.add(term));
        assert_eq!(whole.rounded_down(3, 4.5), 2.5);
    }
}
