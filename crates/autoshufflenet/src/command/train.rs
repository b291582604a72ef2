//! `train`: one run in its folder.

use super::{Configuration, Exit, interrupt, note, say};
use crate::data::Data;
use crate::settings::Settings;
use crate::training::{Arithmetic, Checkpoint, Ending, RunFolder, Session, Training, is_complete};
use birkhoff::{Error, Result};
use clap::{ArgMatches, Args};
use std::path::PathBuf;
use tch::Device;

/// Flags of `train`.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    configuration: Configuration,
    /// Go on with the run in this folder, whose settings hold; what does not change the result may be given anew
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// Save and leave after so many epochs of this session
    #[arg(long, value_name = "N")]
    stop_after_epochs: Option<usize>,
    /// No progress bar and no line an epoch
    #[arg(long)]
    quiet: bool,
}

pub(super) fn run(options: &Options, matches: &ArgMatches) -> Result<Exit> {
    let config = options.configuration.config.as_deref();
    let (settings, checkpoint) = match &options.resume {
        None => (Settings::merge(config, matches)?, None),
        Some(folder) if is_complete(folder)? => return Err(Error::file(folder, "holds a run that is complete")),
        Some(folder) => {
            let checkpoint = Checkpoint::read(folder)?;
            // The folder may have moved.
            let own = Settings { output_dir: folder.clone(), ..checkpoint.settings.clone() };
            (own.anew(config, matches)?, Some(checkpoint))
        }
    };
    let session = Session { interrupt: interrupt::flag(), epochs: options.stop_after_epochs, quiet: options.quiet };
    let go_on = format!("saved; go on with: train --resume {}", settings.output_dir.display());
    match complete(&settings, checkpoint, session)? {
        Ending::Finished(outcome) => {
            say(&format!("{}\nresults: {}", outcome.describe(), settings.output_dir.display()));
            Ok(Exit::Complete)
        }
        Ending::Paused => {
            say(&go_on);
            Ok(Exit::Complete)
        }
        Ending::Interrupted => {
            note(&go_on);
            Ok(Exit::Interrupted)
        }
    }
}

/// Begins a run in its folder, or goes on from a checkpoint, there or elsewhere.
pub(super) fn complete(settings: &Settings, checkpoint: Option<Checkpoint>, session: Session) -> Result<Ending> {
    let device = set_up(settings)?;
    let data = Data::open(settings, device)?;
    let mut training = Training::new(settings, &data, device)?;
    let came_from = checkpoint.as_ref().map(|checkpoint| checkpoint.path.clone());
    if let Some(checkpoint) = checkpoint {
        let (then, now) = (checkpoint.arithmetic().clone(), Arithmetic::here(settings, device));
        training.load(checkpoint)?;
        if then != now {
            let (then, now) = (then.describe(), now.describe());
            note(&format!(
                "computed with {now}, before with {then}: the last digits will not be those of a run in one go"
            ));
        }
    }
    let folder = RunFolder::open(&settings.output_dir)?;
    training.settle(&folder, came_from.as_deref())?;
    let ending = training.run(session);
    let unreadable = data.unreadable();
    if let Some((file, cause)) = unreadable.first_key_value() {
        note(&format!("{} images could not be read and were skipped; the first: {file}: {cause}", unreadable.len()));
    }
    ending
}

/// Chooses device and threads.
pub(super) fn set_up(settings: &Settings) -> Result<Device> {
    if settings.threads > 0 {
        tch::set_num_threads(settings.threads as i32);
    }
    let device = settings.device.find()?;
    if device.is_cuda() {
        tch::Cuda::cudnn_set_benchmark(true);
    }
    Ok(device)
}
