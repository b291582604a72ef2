//! The summary on standard output: a report in words.

use super::report::{ChanceReport, HeldOutReport, OverlapReport, Report};
use birkhoff::certificate::Standing;
use birkhoff::chance::{ChanceBound, Null, is_not_by_chance};
use std::fmt::Write;

/// The report for a person; `lines` are what only one command knows, as (name, text).
pub(super) fn summary(report: &Report, lines: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: &str| {
        let _ = writeln!(text, "{name:<13} {what}");
    };
    let runs = match report.runs.len() {
        1 => format!("1 run ({})", report.runs[0].name),
        count => {
            let winner = &report.runs[report.winner].name;
            format!("best of {count} runs (rng seed {}, run {} won: {winner})", report.rng_seed, report.winner)
        }
    };
    lines.iter().for_each(|(name, what)| line(name, what));
    line("method", &format!("{}, {runs}", report.method));
    if let (Some(common), Some(edges)) = (report.common_edges, report.edges_a) {
        line("edges kept", &share(common, edges, "of A's edges"));
    }
    if let (Some(right), Some(known)) = (report.right_vertices, report.known_vertices) {
        line("vertices", &share(right, known, "matched to their true partner"));
    }
    if let Some(test) = &report.held_out {
        line("held out", &held_out(test));
    }
    if let Some(test) = &report.chance {
        line("chance", &chance(test));
    }
    if let Some(OverlapReport { common, most, share }) = report.overlap {
        let (common, most) = (number(common), number(most));
        line("overlap", &format!("{common} of at most {most} ({:.2} %)", 100.0 * share));
    }
    line("value", &number(report.value));
    if let (Some(best), Some(percent)) = (report.best_known, report.gap_percent) {
        line("best known", &format!("{}: this answer is {percent:.3} % above it", number(best)));
    }
    line("optimality", &optimality(report));
    line("certificate", &certificate(report));
    line("ended", &ended(report));
    text
}

fn share(part: usize, whole: usize, what: &str) -> String {
    match whole {
        0 => format!("0 of 0 {what}"),
        _ => format!("{part} of {whole} {what} ({:.2} %)", 100.0 * part as f64 / whole as f64),
    }
}

fn held_out(test: &HeldOutReport) -> String {
    let HeldOutReport { hidden, found, share, interval: (low, high), chance, evidence } = test;
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    format!(
        "{evidence}: of {hidden} edges of B that the search did not see, {found} are kept ({} %, interval {} to {} %; \
         by chance {} %)",
        percent(*share),
        percent(*low),
        percent(*high),
        percent(*chance)
    )
}

/// The weakest of the bounds, or the others where it says nothing.
fn chance(ChanceReport { not_by_chance, bounds }: &ChanceReport) -> String {
    let drawn = |null: Null| match null {
        Null::Density => "with as many edges",
        Null::Degrees => "with such degrees",
        _ => "with Gaussian weights",
    };
    let bound = |&ChanceBound { null, log10, .. }: &ChanceBound| {
        format!("fewer than 1 in 10^{} unrelated graphs {}", (-log10).floor(), drawn(null))
    };
    let weakest = bounds.iter().max_by(|bound, other| bound.log10.total_cmp(&other.log10));
    let strongest = bounds.iter().min_by(|bound, other| bound.log10.total_cmp(&other.log10));
    match (weakest, strongest) {
        (Some(weakest), _) if *not_by_chance => {
            format!("not by chance: {} have a match as good (T7)", bound(weakest))
        }
        (Some(weakest), Some(strongest)) if is_not_by_chance(&[*strongest]) => {
            format!("not excluded {}; {} have a match as good (T7)", drawn(weakest.null), bound(strongest))
        }
        _ => "not excluded: unrelated graphs may have a match as good".to_string(),
    }
}

fn optimality(report: &Report) -> String {
    let among = if report.anchors > 0 { " that keeps the anchors" } else { "" };
    match (report.standing, report.lower_bound, report.optimality_gap) {
        (Standing::Proved, _, _) => format!("proved optimal: no permutation{among} has a smaller value"),
        (Standing::WithinRounding, _, Some(gap)) => {
            format!(
                "optimal to within rounding, not proved: no permutation{among} is below it by more than {}",
                number(gap)
            )
        }
        (Standing::Open, Some(bound), Some(gap)) => {
            format!("not proved: no permutation{among} is below {}, a gap of {}", number(bound), number(gap))
        }
        _ => "not proved: no lower bound is known for this problem".to_string(),
    }
}

fn certificate(report: &Report) -> String {
    let penalty = number(report.penalty);
    let polished = match report.swaps {
        0 => String::new(),
        1 => "; 1 swap improved it after that".to_string(),
        swaps => format!("; {swaps} swaps improved it after that"),
    };
    match report.theorem {
        Some(theorem) => {
            format!("{theorem}: X before rounding is near one permutation only, P(X) = {penalty}{polished}")
        }
        None => {
            format!("none: X before rounding is too far from a permutation for a theorem, P(X) = {penalty}{polished}")
        }
    }
}

fn ended(report: &Report) -> String {
    let how = match report.termination.as_str() {
        "time-limit" => "by the time limit, with the best so far",
        "interrupt" => "by Ctrl-C, with the best so far",
        "max-iterations" => "at its last step",
        other => other,
    };
    let Report { iterations, lap_calls, seconds, .. } = report;
    format!("{how}, after {iterations} iterations, {lap_calls} assignments, {seconds:.2} s")
}

/// A number with six significant digits at most.
pub(super) fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    let whole = value.fract() == 0.0 && value.abs() < 1e15;
    let plain = rounded == 0.0 || (1e-4..1e9).contains(&rounded.abs());
    match (whole, plain) {
        (true, _) => format!("{}", value + 0.0),
        (false, true) => format!("{rounded}"),
        (false, false) => format!("{rounded:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (135028.0, "135028"),
            (1234567890.0, "1234567890"),
            (2.0 / 3.0, "0.666667"),
            (1.0 / 3e9, "3.33333e-10"),
            (-1e300, "-1e300"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_share_of_nothing_is_no_percentage() {
        assert_eq!(share(0, 0, "edges"), "0 of 0 edges");
        assert_eq!(share(1, 3, "edges"), "1 of 3 edges (33.33 %)");
    }
}
