//! What the columns of the results mean.

use crate::experiment::Columns;

/// Columns of the CSV files, with what they mean and their unit.
pub(super) const COLUMNS: &[Columns] = &[
    (
        "trials.csv",
        &[
            ("n", "vertices of each graph"),
            ("p", "probability of an edge; empty for Gaussian matrices"),
            ("rho", "correlation of the two graphs' edges, 0 to 1"),
            (
                "trial",
                "number of the instance at this size, density and correlation, from 0; every method sees the same one",
            ),
            ("method", "method of birkhoff::recovery, or the name of a variant in config.toml"),
            ("status", "ok, or what went wrong"),
            ("node_correctness", "share of vertices matched to their true partner, 0 to 1"),
            ("edge_correctness", "share of A's edges kept, 0 to 1; empty without edges"),
            ("truth_edge_correctness", "share of A's edges that the hidden permutation keeps, 0 to 1"),
            (
                "value",
                "squared Frobenius norm of AX - XB at the answer; for graphs without weights 2 for each pair of vertices that is an edge in one graph only",
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
            ("n", "as in trials.csv"),
            ("p", "as in trials.csv"),
            ("rho", "as in trials.csv"),
            ("trial", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("seconds", "wall-clock seconds of one run, while other trials ran on the other threads"),
        ],
    ),
    (
        "summary.csv",
        &[
            ("n", "as in trials.csv"),
            ("p", "as in trials.csv"),
            ("rho", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("trials", "runs with status ok"),
            ("failed", "other runs; they are in no mean"),
            ("node_correctness", "mean over the trials, 0 to 1"),
            ("node_correctness_low", "lower end of its 95 % bootstrap percentile interval"),
            ("node_correctness_high", "upper end"),
            ("recovered", "share of the trials with at least 90 % of the vertices right, 0 to 1"),
            ("recovered_low", "lower end of its 95 % Wilson interval"),
            ("recovered_high", "upper end"),
            ("edge_correctness", "mean over the trials, 0 to 1"),
            ("truth_edge_correctness", "mean over the trials, 0 to 1"),
        ],
    ),
    (
        "rho50.csv",
        &[
            ("n", "as in trials.csv"),
            ("p", "as in trials.csv"),
            ("method", "as in trials.csv"),
            ("trials", "trials at each correlation"),
            (
                "rho50",
                "correlation at which half of the trials are recovered (at least 90 % of the vertices right), interpolated between the levels; empty where the share is on one side of one half at all levels",
            ),
            (
                "rho50_low",
                "lower end of its 95 % bootstrap percentile interval; empty where a bootstrap sample has no crossing",
            ),
            ("rho50_high", "upper end"),
        ],
    ),
    (
        "path.csv",
        &[
            ("n", "vertices of each graph"),
            ("p", "probability of an edge; empty for Gaussian matrices"),
            ("rho", "correlation of the two graphs' edges, 0 to 1"),
            ("weight", "weight of the penalty in the stage whose end this is; 0 is the relaxation"),
            ("value", "squared Frobenius norm of AX - XB"),
            ("rounded_value", "the same at the rounded X"),
            ("truth_value", "the same at the hidden permutation"),
            ("penalty", "l1-l2 penalty of X, 0 to 2(n - sqrt n)"),
            ("distance", "Frobenius norm of X less the hidden permutation"),
            ("node_correctness", "share of vertices that the rounded X matches to their true partner, 0 to 1"),
            ("certified", "whether T2 or T3 proves X's rounding unique"),
        ],
    ),
    (
        "heat.csv",
        &[
            ("weight", "as in path.csv, for at most four of its stages"),
            ("row", "vertex of A"),
            ("column", "the vertex of A whose true partner the column is: the hidden permutation is the diagonal"),
            ("x", "X there, to three decimals; entries below 0.02 are left out"),
        ],
    ),
    (
        "landscapes.csv",
        &[
            ("tau", "relaxed minimizer of the 2 x 2 graph matching problem, as q"),
            ("weight", "weight of the penalty"),
            ("threshold", "what that weight is"),
            ("q", "X = [[q, 1 - q], [1 - q, q]]; q = 1 is the right permutation"),
            ("total", "squared Frobenius norm of AX - XB, plus weight times penalty"),
        ],
    ),
];
