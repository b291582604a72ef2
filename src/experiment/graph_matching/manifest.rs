//! What the columns of the results mean.

use crate::experiment::Columns;

/// Columns of the CSV files, with what they mean and their unit.
pub(super) const COLUMNS: &[Columns] = &[
    (
        "trials.csv",
        &[
            ("rho", "correlation of the two graphs' edges, 0 to 1"),
            ("trial", "number of the instance at this correlation, from 0; every method sees the same one"),
            ("method", "method of birkhoff::recovery"),
            ("status", "ok, or what went wrong"),
            ("node_correctness", "share of vertices matched to their true partner, 0 to 1"),
            ("edge_correctness", "share of A's edges kept, 0 to 1; empty without edges"),
            ("truth_edge_correctness", "share of A's edges that the hidden permutation keeps, 0 to 1"),
            (
                "value",
                "squared Frobenius norm of AX - XB at the answer; 2 for each pair of vertices that is an edge in one graph only",
            ),
            ("truth_value", "the same at the hidden permutation"),
            ("lower_bound", "proved: no permutation has a smaller value; empty if unknown"),
            ("proved_optimal", "whether value = lower_bound"),
            ("penalty", "l1-l2 penalty of X before rounding, 0 to 2(n - sqrt n)"),
            ("certified", "whether T2 or T3 proves X's rounding unique"),
            ("iterations", "steps of the method, the relaxation's included"),
            ("lap_calls", "linear assignments solved"),
        ],
    ),
    (
        "timings.csv",
        &[
            ("rho", "as in trials.csv"),
            ("trial", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("seconds", "wall-clock seconds of one run, while other trials ran on the other threads"),
        ],
    ),
    (
        "summary.csv",
        &[
            ("rho", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("trials", "runs with status ok"),
            ("failed", "other runs; they are in no mean"),
            ("node_correctness", "mean over the trials, 0 to 1"),
            ("node_correctness_low", "lower end of its 95 % bootstrap percentile interval"),
            ("node_correctness_high", "upper end"),
            ("edge_correctness", "mean over the trials, 0 to 1"),
            ("truth_edge_correctness", "mean over the trials, 0 to 1"),
        ],
    ),
];
