//! What the columns of the results mean.

use crate::experiment::Columns;

/// Columns of the CSV files, with what they mean and their unit.
pub(super) const COLUMNS: &[Columns] = &[
    (
        "trials.csv",
        &[
            ("kind", "where the matrices come from: see birkhoff_programs::experiment::error_bounds::sample::Kind"),
            ("n", "size"),
            ("samples", "matrices"),
            ("violations", "statements of T0-T4 that a matrix violates, summed over the matrices"),
            ("first_violated", "the first of them; empty without one"),
            ("within_t2", "matrices with P < 4 - 2 sqrt 2"),
            ("within_t3", "matrices to which T3 applies"),
            (
                "largest_ratio",
                "largest (distance to the nearest permutation)/P over doubly stochastic matrices; proved: at most 1 + 1/sqrt 2. 0 without any",
            ),
            ("smallest_ratio", "smallest one; proved: at least 1; empty without any"),
            ("largest_t2_ratio", "largest one within T2's radius"),
            ("largest_t3_ratio", "largest distance/(2P + max(E_r, E_c)) where T3 applies; proved: at most 1"),
            ("largest_lipschitz_ratio", "largest norm of P's tangent gradient over 2 sqrt n; proved: at most 1"),
            (
                "largest_curvature_ratio",
                "2/n over the smallest observed -curvature of P along (X - barycenter); proved: at most 1",
            ),
            (
                "largest_t4_ratio",
                "largest weight/L below which f = |. - X|^2/2 keeps a minimizer that is no permutation; proved: at most 1 + 1/sqrt 2",
            ),
        ],
    ),
    (
        "histogram.csv",
        &[
            ("domain", "feasible: doubly stochastic; approximate: T3 applies"),
            ("log_x", "log10 of P (feasible) or of 2P + max(E_r, E_c) (approximate), middle of the bin"),
            ("ratio", "distance/P or distance/(2P + max(E_r, E_c)), middle of the bin"),
            ("count", "matrices in the bin"),
        ],
    ),
    (
        "ascent.csv",
        &[
            ("target", "the ratio that was maximized: distance/P, P/distance, or that of T3"),
            ("n", "size"),
            ("starts", "random matrices from which the ascent started"),
            ("evaluations", "matrices judged"),
            ("bound", "what is proved to bound the ratio"),
            ("ratio", "largest one found"),
            ("violations", "statements of T0-T4 violated on the way"),
        ],
    ),
];
