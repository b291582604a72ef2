//! `compare`: kinds of shuffle × seeds, paired.

use super::{Configuration, Exit, interrupt, say, train};
use crate::settings::Settings;
use crate::shuffle::ShuffleKind;
use crate::training::{CONFIG, Checkpoint, Ending, Outcome, RESULT, Session, checkpoint_path, is_complete, write_csv};
use birkhoff::{Error, Result};
use clap::{ArgMatches, Args};
use std::path::Path;

/// Flags of `compare`.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    configuration: Configuration,
    /// Kinds of shuffle; the first is what the others are compared with
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ShuffleKind::Manual, ShuffleKind::Auto, ShuffleKind::Relaxed, ShuffleKind::Random, ShuffleKind::None])]
    kinds: Vec<ShuffleKind>,
    /// Seeds, each for every kind
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
    seeds: Vec<u64>,
    /// No progress bars
    #[arg(long)]
    quiet: bool,
}

/// One run's outcome.
struct Run {
    kind: ShuffleKind,
    seed: u64,
    outcome: Outcome,
}

/// Seed by seed, so that a comparison that was cut short has complete pairs. Runs that are done are kept, the one that
/// was cut short is resumed.
pub(super) fn run(options: &Options, matches: &ArgMatches) -> Result<Exit> {
    let settings = Settings::merge(options.configuration.config.as_deref(), matches)?;
    let planned = plan(options, &settings)?;
    let folder = &settings.output_dir;
    check_tables(folder)?;
    let mut runs = vec![];
    let mut is_new = false;
    for settings in planned {
        let (kind, seed) = (settings.shuffle, settings.rng_seed);
        let session = Session { interrupt: interrupt::flag(), epochs: None, quiet: options.quiet };
        let outcome = match finished(&settings)? {
            Some(outcome) => outcome,
            None => match train::complete(&settings, begun(&settings)?, session)? {
                Ending::Finished(outcome) => {
                    is_new = true;
                    *outcome
                }
                _ => return Ok(Exit::Interrupted),
            },
        };
        say(&format!("{} seed {seed}: {}", kind.name(), outcome.describe()));
        runs.push(Run { kind, seed, outcome });
        // Of runs that are all done, the tables of before say more.
        if is_new {
            write(folder, options, &runs)?;
        }
    }
    write(folder, options, &runs)?;
    say(&table(options, &runs));
    Ok(Exit::Complete)
}

/// The settings of every run, seed by seed.
///
/// # Errors
/// [`Error::Argument`] for a kind or seed that is given twice: a run would count as two, and every interval come out
/// too small.
fn plan(options: &Options, settings: &Settings) -> Result<Vec<Settings>> {
    let Options { kinds, seeds, .. } = options;
    if let Some(seed) = first_repeated(seeds) {
        return Err(Error::argument("seeds", format!("{seed} is given twice")));
    }
    if let Some(kind) = first_repeated(kinds) {
        return Err(Error::argument("kinds", format!("{} is given twice", kind.name())));
    }
    let pairs = seeds.iter().flat_map(|&seed| kinds.iter().map(move |&kind| (kind, seed)));
    let runs = pairs.map(|(kind, seed)| {
        let output_dir = settings.output_dir.join(format!("{}-{seed}", kind.name()));
        let settings = Settings { shuffle: kind, rng_seed: seed, output_dir, ..settings.clone() };
        settings.validate().map(|()| settings)
    });
    runs.collect()
}

fn first_repeated<T: PartialEq>(values: &[T]) -> Option<&T> {
    values.iter().enumerate().find(|(place, value)| values[..*place].contains(value)).map(|(_, value)| value)
}

/// The outcome of a run that is done, with these very settings but for what does not change it.
fn finished(settings: &Settings) -> Result<Option<Outcome>> {
    let folder = &settings.output_dir;
    if !is_complete(folder)? {
        return Ok(None);
    }
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| Error::io(path, error));
    let (result, config) = (folder.join(RESULT), folder.join(CONFIG));
    if let Some((key, [ours, theirs])) = settings.difference(&Settings::parse(&config, &read(&config)?)?)? {
        let cause = format!("holds a run with {key} = {theirs}, not {ours}: remove it, or choose another --output-dir");
        return Err(Error::file(folder, cause));
    }
    let outcome = serde_json::from_str(&read(&result)?).map_err(|error| Error::file(&result, error.to_string()))?;
    Ok(Some(outcome))
}

/// Where a run was cut short.
fn begun(settings: &Settings) -> Result<Option<Checkpoint>> {
    let folder = &settings.output_dir;
    checkpoint_path(folder).exists().then(|| Checkpoint::read(folder)).transpose()
}

/// The tables, and how each begins, whatever the version.
const TABLES: [(&str, &str); 2] = [("comparison.csv", "kind,rng_seed,"), ("summary.csv", "kind,runs,")];

/// Refuses to replace tables of other programs.
fn check_tables(folder: &Path) -> Result<()> {
    for (name, beginning) in TABLES {
        let path = folder.join(name);
        let is_other = std::fs::read(&path).is_ok_and(|bytes| !bytes.starts_with(beginning.as_bytes()));
        if is_other || path.is_dir() {
            return Err(Error::file(
                path,
                "is no table of a comparison, and would be replaced: choose another --output-dir",
            ));
        }
    }
    Ok(())
}

/// comparison.csv, a row a run, and summary.csv, a row a kind, beside the runs' folders.
fn write(folder: &Path, options: &Options, runs: &[Run]) -> Result<()> {
    let header = [
        "kind",
        "rng_seed",
        "accuracy_before",
        "accuracy_after",
        "rounded",
        "certified",
        "largest_penalty",
        "off_manual",
        "off_start",
    ];
    let row = |run: &Run| {
        let Outcome { before, after, rounded, certified, largest_penalty, off_manual, off_start } = &run.outcome;
        vec![
            run.kind.name().to_string(),
            run.seed.to_string(),
            format!("{:.4}", before.accuracy),
            format!("{:.4}", after.accuracy),
            rounded.to_string(),
            certified.to_string(),
            format!("{largest_penalty:.6}"),
            format!("{off_manual:.4}"),
            format!("{off_start:.4}"),
        ]
    };
    write_csv(&folder.join(TABLES[0].0), &header.map(str::to_string), &runs.iter().map(row).collect::<Vec<_>>())?;
    let header = [
        "kind",
        "runs",
        "accuracy_before",
        "half_interval_before",
        "accuracy_after",
        "half_interval",
        "difference",
        "difference_half_interval",
    ];
    let rows: Vec<Vec<String>> = summaries(options, runs)
        .map(|(kind, before, after, difference)| {
            let number = |value: f64| if value.is_finite() { format!("{value:.4}") } else { String::new() };
            let after_half = number(after.half_interval);
            let [difference, difference_half] =
                difference.map_or([f64::NAN; 2], |d| [d.mean, d.half_interval]).map(number);
            vec![
                kind.name().to_string(),
                after.count.to_string(),
                number(before.mean),
                number(before.half_interval),
                number(after.mean),
                after_half,
                difference,
                difference_half,
            ]
        })
        .collect();
    write_csv(&folder.join(TABLES[1].0), &header.map(str::to_string), &rows)
}

/// A mean with the half width of its 95 % interval (Student's t; not finite for one value).
#[derive(Debug, Clone, Copy)]
struct Mean {
    count: usize,
    mean: f64,
    half_interval: f64,
}

/// Student's t at 97.5 % for 1, 2, … degrees of freedom.
const T: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

impl Mean {
    fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count as f64 - 1.0);
        let t = count.checked_sub(2).map_or(f64::NAN, |index| T.get(index).copied().unwrap_or(T[T.len() - 1]));
        Mean { count, mean, half_interval: t * (variance / count as f64).sqrt() }
    }

    fn percent(self) -> String {
        let interval =
            if self.half_interval.is_finite() { format!("{:.2}", 100.0 * self.half_interval) } else { "?".into() };
        format!("{:6.2} ± {interval}", 100.0 * self.mean)
    }
}

/// For each kind: accuracy before and after rounding, and what it is above the first kind's with the same seed.
fn summaries<'a>(
    options: &'a Options,
    runs: &'a [Run],
) -> impl Iterator<Item = (ShuffleKind, Mean, Mean, Option<Mean>)> + 'a {
    let of = |kind: ShuffleKind| runs.iter().filter(move |run| run.kind == kind);
    options.kinds.iter().filter(move |&&kind| of(kind).count() > 0).map(move |&kind| {
        let accuracy = |run: &Run| run.outcome.after.accuracy;
        let before = Mean::of(&of(kind).map(|run| run.outcome.before.accuracy).collect::<Vec<_>>());
        let after = Mean::of(&of(kind).map(accuracy).collect::<Vec<_>>());
        let pairs: Vec<f64> = of(kind)
            .filter_map(|run| {
                let partner = of(options.kinds[0]).find(|other| other.seed == run.seed)?;
                Some(accuracy(run) - accuracy(partner))
            })
            .collect();
        let difference = (kind != options.kinds[0] && !pairs.is_empty()).then(|| Mean::of(&pairs));
        (kind, before, after, difference)
    })
}

fn table(options: &Options, runs: &[Run]) -> String {
    let mut text = format!(
        "kind      runs  before rounding (%)  after           minus {} (paired; 95 % intervals)\n",
        options.kinds[0].name()
    );
    for (kind, before, after, difference) in summaries(options, runs) {
        let difference = difference.map_or(String::new(), Mean::percent);
        text += &format!(
            "{:8}  {:4}  {:19}  {:14}  {}\n",
            kind.name(),
            after.count,
            before.percent(),
            after.percent(),
            difference
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        let mean = Mean::of(&[0.5, 0.6, 0.7]);
        // 4.303 · 0.1 / √3
        assert!((mean.mean - 0.6).abs() < 1e-12 && (mean.half_interval - 0.248434).abs() < 1e-6, "{mean:?}");
        assert!(Mean::of(&[0.5]).half_interval.is_nan());
    }
}
