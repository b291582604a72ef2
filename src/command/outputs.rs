//! Where answers go: checked before a search, written after it.

use super::options::SearchOptions;
use super::report::Report;
use super::trace::{TraceRow, draw_trace, write_trace};
use crate::error::{Error, Result};
use crate::io::{check_writable, write_atomically, write_match};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// [`check_places`] of a search.
pub(super) fn check_outputs<'p>(options: &SearchOptions, inputs: impl IntoIterator<Item = &'p Path>) -> Result<()> {
    check_places(&outputs(options), inputs)
}

/// Refuses outputs that cannot be written, and two outputs or an input and an output at the same place.
pub(super) fn check_places<'p>(outputs: &[&Path], inputs: impl IntoIterator<Item = &'p Path>) -> Result<()> {
    for (index, &output) in outputs.iter().enumerate() {
        if outputs[..index].contains(&output) {
            return Err(Error::file(output, "is given for two outputs"));
        }
        check_writable(output)?;
    }
    let place = |path: &Path| std::fs::canonicalize(path).ok().filter(|path| path.is_file());
    for input in inputs {
        let Some(read) = place(input) else { continue };
        if let Some(output) = outputs.iter().find(|output| place(output) == Some(read.clone())) {
            return Err(Error::file(output, "is an input, and would be overwritten"));
        }
    }
    Ok(())
}

fn outputs(options: &SearchOptions) -> Vec<&Path> {
    [&options.output, &options.report, &options.trace, &options.plot]
        .into_iter()
        .flatten()
        .map(|path| &**path)
        .collect()
}

/// Writes what was asked for; then the summary, unless standard output holds an answer.
pub(super) fn write_outputs(
    options: &SearchOptions,
    pairs: &[(&str, &str)],
    report: &Report,
    trace: &[TraceRow],
    summary: &str,
) -> Result<()> {
    if let Some(path) = &options.output {
        write_match(path, pairs.iter().copied())?;
    }
    if let Some(path) = &options.report {
        write_json(path, report)?;
    }
    if let Some(path) = &options.trace {
        write_trace(path, trace)?;
    }
    if let Some(path) = &options.plot {
        draw_trace(path, trace, &report.title())?;
    }
    let outputs = outputs(options);
    if options.quiet || outputs.contains(&Path::new("-")) {
        return Ok(());
    }
    let written = outputs.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let written = if written.is_empty() { String::new() } else { format!("written       {written}\n") };
    say(&format!("{summary}{written}"))
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
