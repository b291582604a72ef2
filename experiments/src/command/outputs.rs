//! Where answers go: checked before a search, written after it.

use super::report::Report;
use super::search_options::SearchOptions;
use super::trace::{TraceRow, draw_trace, write_trace};
use birkhoff::error::{Error, Result};
use birkhoff::io::{Place, check_writable, write_atomically, write_match};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// [`check_places`] of a search that may keep a checkpoint.
pub(super) fn check_outputs<'p>(
    options: &SearchOptions,
    checkpoint: Option<&Path>,
    inputs: impl IntoIterator<Item = &'p Path>,
) -> Result<()> {
    let all: Vec<&Path> = outputs(options).into_iter().chain(checkpoint).collect();
    check_places(&all, inputs)
}

/// Refuses outputs that cannot be written, and two outputs or an input and an output at the same place, whatever they
/// are called there.
pub(super) fn check_places<'p>(outputs: &[&Path], inputs: impl IntoIterator<Item = &'p Path>) -> Result<()> {
    let mut places: Vec<(&Path, Place)> = Vec::new();
    for &output in outputs {
        check_writable(output)?;
        let place = Place::of(output)?;
        if let Some((other, _)) = places.iter().find(|(_, other)| place.is_same(other)) {
            let again = if *other == output { String::new() } else { format!(": it is {}", other.display()) };
            return Err(Error::file(output, format!("is given for two outputs{again}")));
        }
        places.push((output, place));
    }
    for input in inputs {
        if let Some((output, _)) = places.iter().find(|(_, place)| place.is_read_as(input)) {
            return Err(Error::file(output, "is an input, and would be overwritten"));
        }
    }
    Ok(())
}

/// Whether an answer goes to standard output, so that nothing else may.
pub(super) fn take_standard_output(outputs: &[&Path]) -> bool {
    outputs.iter().any(|output| matches!(Place::of(output), Ok(Place::StandardOutput)))
}

fn outputs(options: &SearchOptions) -> Vec<&Path> {
    [&options.output, &options.report, &options.trace, &options.plot]
        .into_iter()
        .flatten()
        .map(|path| &**path)
        .collect()
}

/// Writes what was asked for; then the summary, unless standard output holds an answer. What cannot be written keeps
/// nothing else from it.
pub(super) fn write_outputs(
    options: &SearchOptions,
    pairs: &[(&str, &str)],
    report: &Report,
    trace: &[TraceRow],
    summary: &str,
) -> Result<()> {
    let written = [
        options.output.as_deref().map(|path| (path, write_match(path, pairs.iter().copied()))),
        options.report.as_deref().map(|path| (path, write_json(path, report))),
        options.trace.as_deref().map(|path| (path, write_trace(path, trace))),
        options.plot.as_deref().map(|path| (path, draw_trace(path, trace, &report.title()))),
    ];
    let (written, failed): (Vec<_>, Vec<_>) = written.into_iter().flatten().partition(|(_, result)| result.is_ok());
    if !options.quiet && !take_standard_output(&outputs(options)) {
        let written = written.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let written = if written.is_empty() { String::new() } else { format!("written       {written}\n") };
        say(&format!("{summary}{written}"))?;
    }
    failed.into_iter().try_for_each(|(_, result)| result)
}

/// Writes as JSON, atomically.
pub(super) fn write_json(path: &Path, report: &impl Serialize) -> Result<()> {
    write_atomically(path, |file| {
        serde_json::to_writer_pretty(&mut *file, report)?;
        writeln!(file)
    })
}

/// Writes to standard output; a reader that went away (`| head`) is no error.
pub(super) fn say(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::io("<stdout>", error)),
        _ => Ok(()),
    }
}
