//! Likelihood ratios as they are kept: by the hundred million, in two bytes each.

/// Ratios are kept within these, so that a product of nine neither overflows nor vanishes.
const RATIOS: std::ops::RangeInclusive<f64> = 1e-27..=1e27;

/// ln L, L clipped.
#[inline]
pub(super) fn logarithm(ratio: f64) -> f64 {
    ratio.clamp(*RATIOS.start(), f64::MAX).ln()
}

/// L as it is kept: within [`RATIOS`], with the leading 8 bits of its fraction. 0 stays 0: what anchors exclude.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ratio(u16);

impl Ratio {
    #[inline]
    pub fn of(ratio: f64) -> Self {
        let clamped = if ratio == 0.0 { 0.0 } else { ratio.clamp(*RATIOS.start(), *RATIOS.end()) };
        // The upper half of an f32, rounded.
        Ratio((((clamped as f32).to_bits() + 0x8000) >> 16) as u16)
    }

    #[inline]
    pub fn get(self) -> f64 {
        f64::from(f32::from_bits(u32::from(self.0) << 16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_keep_their_leading_digits() {
        for ratio in [1e-27, 0.3, 1.0, 7.7, 1e27] {
            assert!((Ratio::of(ratio).get() / ratio - 1.0).abs() < 1.0 / 256.0);
        }
        assert_eq!((Ratio::of(0.0).get(), Ratio::of(1.0).get()), (0.0, 1.0));
        assert!(Ratio::of(f64::INFINITY).get() < 1.1e27 && Ratio::of(1e-300).get() > 0.9e-27);
    }
}
