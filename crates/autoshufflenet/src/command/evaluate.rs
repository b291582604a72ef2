//! `eval` and `export`.

use super::{Configuration, train};
use crate::data::Data;
use crate::export;
use crate::hardening::round_all;
use crate::model::{Network, fold};
use crate::settings::Settings;
use crate::training::{Training, checkpoint_path, checkpoint_settings, evaluate};
use birkhoff::{Error, Result};
use clap::{ArgMatches, Args};
use std::path::PathBuf;
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
    let score = evaluate(&network, &settings, &data);
    println!("test accuracy {:.2} %, loss {:.4} ({} images)", 100.0 * score.accuracy, score.loss, score.images);
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
    let (mut network, steps) = open(options, matches)?;
    if options.fold {
        fold(&mut network)?;
    }
    export::write(&options.to, &network, steps)?;
    println!("{}", options.to.display());
    Ok(())
}

/// The network of a finished run, of an unfinished one (rounded), or of a file.
fn open(options: &ExportOptions, matches: &ArgMatches) -> Result<(Network, i64)> {
    let checkpoint = checkpoint_path(&options.from);
    if checkpoint.exists() {
        let mut settings = checkpoint_settings(&checkpoint)?;
        settings.output_dir = options.from.clone();
        let data = Data::open(&settings, Device::Cpu)?;
        let mut training = Training::new(&settings, &data, Device::Cpu)?;
        training.load()?;
        let rounded = round_all(&mut training.network)?;
        if rounded > 0 {
            eprintln!("the run is not finished: {rounded} matrices were rounded");
        }
        let steps = training.steps_done();
        return Ok((training.network, steps));
    }
    let settings = Settings::merge(options.configuration.config.as_deref(), matches)?;
    let file = if options.from.is_dir() { options.from.join("model.safetensors") } else { options.from.clone() };
    Ok((export::read(&file, settings.architecture(10), Device::Cpu)?, 0))
}
