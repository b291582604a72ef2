//! Doubles as the rational numbers that they are: sums and products without rounding.

use num_bigint::BigInt;
use std::cmp::Ordering;

/// m·2^e.
#[derive(Debug, Clone)]
pub struct Exact {
    mantissa: BigInt,
    exponent: i64,
}

impl Exact {
    /// A finite double.
    pub fn of(value: f64) -> Self {
        assert!(value.is_finite(), "{value} is no number");
        let bits = value.to_bits();
        let (field, fraction) = ((bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
        let (mantissa, exponent) = if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        // Whole numbers stay small ones.
        let zeros = if mantissa == 0 { 0 } else { mantissa.trailing_zeros() };
        let signed = (mantissa >> zeros) as i64 * if value < 0.0 { -1 } else { 1 };
        Exact { mantissa: signed.into(), exponent: exponent + i64::from(zeros) }
    }

    pub fn times(&self, other: &Exact) -> Self {
        Exact { mantissa: &self.mantissa * &other.mantissa, exponent: self.exponent + other.exponent }
    }

    pub fn plus(&self, other: &Exact) -> Self {
        let unit = self.exponent.min(other.exponent);
        Exact { mantissa: self.in_units(unit) + other.in_units(unit), exponent: unit }
    }

    /// m, where the number is m·2^exponent.
    fn in_units(&self, exponent: i64) -> BigInt {
        &self.mantissa << (self.exponent - exponent)
    }

    fn is_zero(&self) -> bool {
        self.mantissa == BigInt::ZERO
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let unit = self.exponent.min(other.exponent);
        self.in_units(unit).cmp(&other.in_units(unit))
    }
}

/// Numbers that are summed often, in one unit.
pub struct Table {
    entries: Vec<BigInt>,
    unit: i64,
}

impl Table {
    pub fn of(numbers: &[Exact]) -> Self {
        let unit = numbers.iter().filter(|number| !number.is_zero()).map(|number| number.exponent).min().unwrap_or(0);
        let entry = |number: &Exact| if number.is_zero() { BigInt::ZERO } else { number.in_units(unit) };
        Table { entries: numbers.iter().map(entry).collect(), unit }
    }

    /// Σ of the numbers at `places`.
    pub fn sum(&self, places: impl Iterator<Item = usize>) -> Exact {
        let mut sum = BigInt::ZERO;
        places.filter(|&place| self.entries[place] != BigInt::ZERO).for_each(|place| sum += &self.entries[place]);
        Exact { mantissa: sum, exponent: self.unit }
    }
}
