//! What a value on the command line may be: parsers that several commands share.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A parser of names that are all known.
pub(super) fn named<T: Clone + Send + Sync + 'static>(all: Vec<(&'static str, T)>) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(name, _)| *name)).map(move |given| {
        let value = all.iter().find(|(name, _)| *name == given).map(|(_, value)| value.clone());
        value.expect("clap has checked the name")
    })
}

pub(super) fn threads() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=1024)
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("not a finite number".to_string()),
    }
}

/// A share of some edges: 0 to ½.
pub(super) fn share_up_to_half(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=0.5).contains(&value) => Ok(value),
        _ => Err("not a number between 0 and 0.5".to_string()),
    }
}

/// A time limit: positive, and below 10⁹ s, which no clock overflows.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e9 => Ok(value),
        _ => Err("not a number of seconds above 0 and up to 1e9".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_no_clock_holds_are_refused() {
        for text in ["0", "-1", "nan", "inf", "1e300", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(finite("NaN").is_err());
    }

    #[test]
    fn more_than_half_of_the_edges_are_no_share_to_hide() {
        for text in ["0.51", "-0.1", "nan", "most"] {
            assert!(share_up_to_half(text).is_err(), "{text}");
        }
        assert_eq!(share_up_to_half("0.5"), Ok(0.5));
    }
}
