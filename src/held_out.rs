//! The held-out test: does an answer know of edges that its search did not see?
//!
//! A share of B's edges is hidden from the search. An answer that has found what the graphs have in common matches many
//! of them to edges of A all the same; one that only fitted what it saw matches no more of them than degrees alone
//! would. The value cannot tell these apart: independent sparse graphs of degree 8 are matched with a fourth of their
//! edges in common.

use crate::score::wilson_interval;
use serde::Serialize;
use std::fmt;

/// What became of the edges of B that were hidden.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HeldOut {
    /// Edges that were hidden; arcs, where a graph is directed.
    pub hidden: usize,
    /// Those whose ends were matched to the ends of an edge of A.
    pub found: usize,
    /// The share to be expected of a matching that knows degrees only: the mean over the hidden edges of 1 − e^(−d_i
    /// d_k/Σd), the probability of an edge in a random graph with A's degrees, at the vertices i and k of A that the
    /// edge's ends are matched to. 0 for ends without a partner.
    pub chance: f64,
}

/// What a [`HeldOut`] test says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Evidence {
    /// The interval of the share found lies more than a tenth of the way from chance to all.
    FarAboveChance,
    /// It lies above chance.
    AboveChance,
    /// It reaches down to chance, or to within a hundredth of the way from chance to all.
    NoBetterThanChance,
}

impl HeldOut {
    /// The test's outcome.
    ///
    /// # Panics
    /// When more are found than hidden.
    pub fn new(hidden: usize, found: usize, chance: f64) -> Self {
        assert!(found <= hidden, "{found} found of {hidden} hidden edges");
        HeldOut { hidden, found, chance }
    }

    /// The share found; `None` where nothing was hidden.
    pub fn share(&self) -> Option<f64> {
        (self.hidden > 0).then(|| self.found as f64 / self.hidden as f64)
    }

    /// The 95 % [interval](wilson_interval) of the share found.
    pub fn interval(&self) -> Option<(f64, f64)> {
        wilson_interval(self.found, self.hidden)
    }

    /// The lower end of the interval against chance.
    pub fn evidence(&self) -> Evidence {
        let least = self.interval().map_or(0.0, |(least, _)| least);
        let beyond = (least - self.chance) / (1.0 - self.chance).max(f64::MIN_POSITIVE);
        match beyond {
            _ if beyond > FAR => Evidence::FarAboveChance,
            _ if beyond > NEAR => Evidence::AboveChance,
            _ => Evidence::NoBetterThanChance,
        }
    }
}

/// Shares of the way from chance to all. Chosen by hand: of the real pairs that were measured (`docs/large.md`)
/// erdos-10 has the least, .31.
const FAR: f64 = 0.1;
const NEAR: f64 = 0.01;

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Evidence::FarAboveChance => "far above chance",
            Evidence::AboveChance => "above chance",
            Evidence::NoBetterThanChance => "no better than chance",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_that_of_the_interval_and_not_of_the_share() {
        let evidence = |hidden, found, chance| HeldOut::new(hidden, found, chance).evidence();
        assert_eq!(evidence(1000, 700, 0.001), Evidence::FarAboveChance);
        assert_eq!(evidence(1000, 70, 0.001), Evidence::AboveChance);
        assert_eq!(evidence(1000, 3, 0.001), Evidence::NoBetterThanChance);
        // Two of three may be luck where every other pair is an edge.
        assert_eq!(evidence(3, 2, 0.5), Evidence::NoBetterThanChance);
        assert_eq!(evidence(3000, 2000, 0.5), Evidence::FarAboveChance);
        assert_eq!(evidence(0, 0, 0.0), Evidence::NoBetterThanChance);
        assert_eq!(HeldOut::new(0, 0, 0.0).share(), None);
    }
}
