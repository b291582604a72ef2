//! `eval` and `export`.

use super::{Configuration, note, say, train};
use crate::data::Data;
use crate::export;
use crate::hardening::round_all;
use crate::model::{Network, fold};
use crate::settings::Settings;
use crate::training::{Checkpoint, MODEL, check_is_no_run, checkpoint_path, evaluate};
use birkhoff::io::check_writable;
use birkhoff::{Error, Result};
use clap::{ArgMatches, Args};
use std::path::{Path, PathBuf};
use tch::Device;

/// Flags of `eval`.
#[derive(Debug, Args)]
pub(super) struct EvalOptions {
    /// An exported network, or torchvision's weights of the network that the flags describe
    weights: PathBuf,
    #[command(flatten)]
    configuration: Configuration,
}

pub(super) fn eval(options: &EvalOptions, matches: &ArgMatches) -> Result<()> {
    let settings = Settings::merge(options.configuration.config.as_deref(), matches)?;
    let device = train::set_up(&settings)?;
    let data = Data::open(&settings, device)?;
    let network = export::read(&options.weights, settings.architecture(data.classes), device)?;
    if network.architecture.classes != data.classes {
        let cause = format!("has {} classes, but the images have {}", network.architecture.classes, data.classes);
        return Err(Error::file(&options.weights, cause));
    }
    let score = evaluate(&network, &settings, &data)?;
    let accuracy = 100.0 * score.accuracy;
    say(&format!("test accuracy {accuracy:.2} %, loss {:.4} ({} images)", score.loss, score.images));
    Ok(())
}

/// Flags of `export`.
#[derive(Debug, Args)]
pub(super) struct ExportOptions {
    /// Folder of a run, or an exported network
    from: PathBuf,
    /// Safetensors file to write
    to: PathBuf,
    /// Absorb the permutations into the neighbouring weights
    #[arg(long)]
    fold: bool,
    #[command(flatten)]
    configuration: Configuration,
}

pub(super) fn export(options: &ExportOptions, matches: &ArgMatches) -> Result<()> {
    check_target(&options.from, &options.to)?;
    let (mut network, steps) = open(options, matches)?;
    if options.fold {
        fold(&mut network)?;
    }
    export::write(&options.to, &network, steps)?;
    say(&options.to.display().to_string());
    Ok(())
}

/// Refuses to write where nothing can be written, or where something would be lost.
fn check_target(from: &Path, to: &Path) -> Result<()> {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    if place(from).is_some() && place(from) == place(to) {
        return Err(Error::file(to, "is the input, and would be replaced"));
    }
    check_is_no_run(to)?;
    check_writable(to)
}

/// The network of a finished run, of an unfinished one (rounded), or of a file.
fn open(options: &ExportOptions, matches: &ArgMatches) -> Result<(Network, i64)> {
    if checkpoint_path(&options.from).exists() {
        let (mut network, steps) = Checkpoint::read(&options.from)?.into_network(Device::Cpu)?;
        let rounded = round_all(&mut network)?;
        note(&format!("the run is not finished: {rounded} matrices were rounded"));
        return Ok((network, steps));
    }
    let settings = Settings::merge(options.configuration.config.as_deref(), matches)?;
    let file = if options.from.is_dir() { options.from.join(MODEL) } else { options.from.clone() };
    Ok((export::read(&file, settings.architecture(10), Device::Cpu)?, 0))
}
