//! What each module may know: DESIGN.md's table, as the test reads it.

/// Each module of the library, and the modules it may import; `error` is for everyone. A module may import its own
/// parts.
///
/// From below: nothing in a line knows anything of the lines under it, so there are no cycles.
pub const TABLE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("stop", &[]),
    // Prose: docs/mathematics.md as documentation.
    ("mathematics", &[]),
    ("vector_unit", &[]),
    ("anchors", &[]),
    ("columns", &["stop"]),
    ("exact", &[]),
    ("permutation", &[]),
    ("injection", &["permutation"]),
    ("graph", &[]),
    ("sparse_matrix", &[]),
    ("checkpoint", &["sparse_matrix"]),
    ("sparse_form", &["graph", "sparse_matrix"]),
    ("penalty", &["columns"]),
    ("assignment", &["stop", "vector_unit", "columns", "exact", "permutation", "sparse_matrix"]),
    ("polytope", &["stop", "anchors", "permutation", "injection", "assignment"]),
    // Objectives never import solvers, the penalty or the instances.
    (
        "objective",
        &[
            "stop",
            "vector_unit",
            "columns",
            "exact",
            "permutation",
            "injection",
            "graph",
            "sparse_form",
            "sparse_matrix",
            "assignment",
        ],
    ),
    ("instance", &["permutation", "graph"]),
    // Costs from graphs alone: it knows no objective.
    ("structure", &["stop", "anchors", "permutation", "graph"]),
    ("features", &["stop", "graph", "sparse_matrix", "instance"]),
    (
        "certificate",
        &[
            "stop",
            "exact",
            "sparse_matrix",
            "permutation",
            "injection",
            "assignment",
            "penalty",
            "polytope",
            "objective",
        ],
    ),
    ("neurons", &["exact", "permutation", "assignment", "objective"]),
    ("score", &["permutation", "graph"]),
    ("held_out", &["score"]),
    ("chance", &["permutation", "graph"]),
    ("local_search", &["stop", "permutation", "injection", "polytope", "objective"]),
    (
        "solver",
        &[
            "stop",
            "permutation",
            "assignment",
            "penalty",
            "polytope",
            "objective",
            "certificate",
            "local_search",
            "checkpoint",
        ],
    ),
    (
        "sparse",
        &[
            "stop",
            "anchors",
            "graph",
            "sparse_form",
            "sparse_matrix",
            "checkpoint",
            "assignment",
            "penalty",
            "instance",
            "features",
            "held_out",
            "solver",
        ],
    ),
    (
        "recovery",
        &[
            "stop",
            "permutation",
            "injection",
            "graph",
            "assignment",
            "penalty",
            "polytope",
            "objective",
            "certificate",
            "local_search",
            "solver",
            "instance",
            "structure",
            "sparse_form",
            "sparse_matrix",
            "held_out",
            "sparse",
        ],
    ),
    ("io", &["permutation", "graph", "sparse_matrix", "checkpoint"]),
    ("lib", &["*"]),
    // The programs, in experiments/src: they know the library by its public face.
    ("experiment", &[]),
    ("command", &["experiment"]),
];

/// The modules that are mathematics: they know nothing of files, tables, command lines and pictures.
pub const MATHEMATICS: &[&str] = &[
    "error",
    "stop",
    "vector_unit",
    "anchors",
    "sparse_form",
    "columns",
    "exact",
    "sparse_matrix",
    "checkpoint",
    "permutation",
    "injection",
    "graph",
    "penalty",
    "assignment",
    "polytope",
    "objective",
    "instance",
    "structure",
    "features",
    "score",
    "held_out",
    "sparse",
    "certificate",
    "local_search",
    "neurons",
    "solver",
    "recovery",
];

pub const NOT_FOR_MATHEMATICS: &[&str] =
    &["csv", "toml", "clap", "plotters", "indicatif", "ctrlc", "quick_xml", "tempfile"];

pub const NOT_FOR_THE_LIBRARY: &[&str] = &["tch", "pyo3", "torch_sys"];

/// From `objective`, these know the trait and its oracle and no objective of ours: users write theirs.
pub const KNOW_ONLY_THE_TRAIT: &[&str] = &["solver", "recovery", "local_search", "certificate"];
pub const TRAIT: &[&str] =
    &["Objective", "VertexGradient", "Injective", "Embedding", "EmbeddingSearch", "is_much_smaller"];
