//! What the columns of the results mean.

use crate::experiment::Columns;

const NETWORK: (&str, &str) = (
    "network",
    "where the permutation X is, and what is observed: outside Xs(Wx), inside s(XWx), s = ReLU; all units (vector) or their sum weighted by v (scalar)",
);
const D: (&str, &str) = ("d", "number of units and of inputs");
const NOISE: (&str, &str) =
    ("noise", "of the teacher (1 - noise)*permutation + noise*(random doubly stochastic), 0 to 1");
const METHOD: (&str, &str) = (
    "method",
    "relaxation, penalized path and projected gradient of birkhoff::recovery; sgd: minibatches of fresh inputs",
);

/// Columns of the CSV files, with what they mean and their unit.
pub(super) const COLUMNS: &[Columns] = &[
    (
        "trials.csv",
        &[
            NETWORK,
            D,
            NOISE,
            ("trial", "number of the instance, from 0; all methods and networks share W, v and the teacher"),
            METHOD,
            ("status", "ok, or what went wrong"),
            ("node_correctness", "share of the units in their place after rounding, 0 to 1"),
            ("node_correctness_polished", "the same after swaps of pairs, as long as one lowers the loss"),
            ("value", "loss at the rounded answer, relative to the loss at the barycenter"),
            ("truth_value", "the same at the hidden permutation"),
            ("proved_optimal", "whether no permutation has a smaller loss, by a proved lower bound"),
            ("penalty", "l1-l2 penalty of X before rounding, 0 to 2(d - sqrt d)"),
            ("certified", "whether T2 or T3 proves X's rounding unique"),
            ("distance", "Frobenius norm of X - teacher before rounding"),
            ("iterations", "steps of the method"),
        ],
    ),
    (
        "timings.csv",
        &[
            NETWORK,
            D,
            NOISE,
            ("trial", "as in trials.csv"),
            METHOD,
            ("seconds", "wall-clock seconds of one run, while other trials ran on the other threads"),
        ],
    ),
    (
        "summary.csv",
        &[
            NETWORK,
            D,
            NOISE,
            METHOD,
            ("trials", "runs with status ok"),
            ("failed", "other runs; they are in no share"),
            ("recovered", "share of the runs whose rounded answer is the hidden permutation"),
            ("recovered_low", "lower end of its 95 % Wilson interval"),
            ("recovered_high", "upper end"),
            ("polished", "share of the runs that swaps lead to the hidden permutation"),
            ("polished_low", "lower end of its 95 % Wilson interval"),
            ("polished_high", "upper end"),
            ("certified", "share of the runs whose X was certified before rounding"),
            ("certified_low", "lower end of its 95 % Wilson interval"),
            ("certified_high", "upper end"),
            ("node_correctness", "mean over the runs"),
            ("penalty", "mean over the runs"),
            ("distance", "mean over the runs"),
            ("as_good", "share of the runs whose loss after rounding is at most the hidden permutation's"),
            ("proved_optimal", "share of the runs whose answer is proved optimal"),
        ],
    ),
    (
        "trajectories.csv",
        &[
            METHOD,
            ("step", "step of the method; a run that has ended stays where it is"),
            (
                "quantity",
                "value: loss relative to the barycenter's; penalty: P(X); distance: Frobenius norm of X - teacher",
            ),
            ("low", "lower quartile over the trials"),
            ("median", "median over the trials"),
            ("high", "upper quartile"),
            ("trials", "runs"),
        ],
    ),
    (
        "landscapes.csv",
        &[
            NETWORK,
            ("tau", "the teacher is [[tau, 1 - tau], [1 - tau, tau]], W = I, v = (1, 1)"),
            ("weight", "weight of the penalty"),
            ("threshold", "what the weight is: 0, or a multiple of a threshold of docs/mathematics.md section 6"),
            ("q", "X = [[q, 1 - q], [1 - q, q]]"),
            ("total", "f + weight * P"),
        ],
    ),
];
