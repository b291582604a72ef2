//! `train`: one run in its folder.

use super::{Configuration, Exit, interrupt};
use crate::data::Data;
use crate::settings::Settings;
use crate::training::{Ending, RESULT, Session, Training, checkpoint_path, checkpoint_settings};
use birkhoff::experiment::manifest::{provenance, sha256};
use birkhoff::io::write_atomically;
use birkhoff::{Error, Result};
use clap::{ArgMatches, Args};
use serde_json::json;
use std::path::{Path, PathBuf};
use tch::Device;

/// Flags of `train`.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    configuration: Configuration,
    /// Go on with the run in this folder, whose settings hold
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
    let settings = match &options.resume {
        None => Settings::merge(options.configuration.config.as_deref(), matches)?,
        Some(folder) => {
            if let Some(flag) = Settings::flags_given(matches).first() {
                return Err(Error::argument(
                    "resume",
                    format!("the run's own settings hold, so --{} has no place", flag.replace('_', "-")),
                ));
            }
            if !checkpoint_path(folder).exists() && folder.join(RESULT).exists() {
                return Err(Error::file(folder, "holds a run that is complete"));
            }
            let mut settings = checkpoint_settings(&checkpoint_path(folder))?;
            // The folder may have moved.
            settings.output_dir = folder.clone();
            settings
        }
    };
    if options.resume.is_none() {
        refuse_to_replace(&settings.output_dir)?;
    }
    let session = Session { interrupt: interrupt::flag(), epochs: options.stop_after_epochs, quiet: options.quiet };
    match complete(&settings, session)? {
        Ending::Finished(outcome) => {
            println!("{}", outcome.describe());
            println!("results: {}", settings.output_dir.display());
            Ok(Exit::Complete)
        }
        Ending::Paused => {
            println!("saved; go on with: train --resume {}", settings.output_dir.display());
            Ok(Exit::Complete)
        }
        Ending::Interrupted => {
            eprintln!("saved; go on with: train --resume {}", settings.output_dir.display());
            Ok(Exit::Interrupted)
        }
    }
}

/// A finished run is replaced, an unfinished one is not: it has hours in it.
fn refuse_to_replace(folder: &Path) -> Result<()> {
    if checkpoint_path(folder).exists() {
        let cause = format!("holds an unfinished run: go on with `train --resume {}`, or remove it", folder.display());
        return Err(Error::file(folder, cause));
    }
    Ok(())
}

/// Starts or resumes the run in its folder, and writes what is to be known of it.
pub(super) fn complete(settings: &Settings, session: Session) -> Result<Ending> {
    let device = set_up(settings)?;
    let data = Data::open(settings, device)?;
    let folder = &settings.output_dir;
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let mut training = Training::new(settings, &data, device)?;
    if checkpoint_path(folder).exists() {
        training.load()?;
    }
    let config = settings.to_toml()?;
    write_atomically(&folder.join("config.toml"), |file| file.write_all(config.as_bytes()))?;
    let ending = training.run(session)?;
    if let Ending::Finished(_) = ending {
        write_manifest(settings, device)?;
    }
    if let Some((count, first)) = data.unreadable() {
        eprintln!("{count} images could not be read and were skipped; the first: {first}");
    }
    Ok(ending)
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

/// An argument as it may be published: of an absolute path the last part alone, for the rest says where its user keeps things.
fn without_place(argument: String) -> String {
    let (flag, value) = argument.split_once('=').map_or(("", argument.as_str()), |(flag, value)| (flag, value));
    if !Path::new(value).is_absolute() {
        return argument;
    }
    let name = Path::new(value).file_name().unwrap_or_default().to_string_lossy();
    if flag.is_empty() { name.into_owned() } else { format!("{flag}={name}") }
}

fn write_manifest(settings: &Settings, device: Device) -> Result<()> {
    let folder = &settings.output_dir;
    let mut files = serde_json::Map::new();
    let traced = settings.trace_matrix.is_some().then_some("matrices.csv");
    for name in ["config.toml", "epochs.csv", "model.safetensors", "permutations.csv", RESULT].into_iter().chain(traced)
    {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
        files.insert(name.to_string(), json!({ "bytes": bytes.len(), "sha256": sha256(&bytes) }));
    }
    let mut manifest = provenance("autoshufflenet", env!("CARGO_PKG_VERSION"));
    manifest.insert("command".to_string(), json!(std::env::args().map(without_place).collect::<Vec<_>>()));
    manifest.insert("libtorch".to_string(), json!("2.11.0"));
    manifest.insert("device".to_string(), json!(format!("{device:?}")));
    manifest.insert("threads".to_string(), json!(tch::get_num_threads()));
    manifest.insert("rng_seed".to_string(), json!(settings.rng_seed));
    manifest.insert("files".to_string(), json!(files));
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Error::file(folder, error.to_string()))?;
    write_atomically(&folder.join("manifest.json"), |file| writeln!(file, "{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_no_place_of_its_user() {
        let published = ["/home/me/bin/autoshufflenet", "--data-dir=/home/me/cifar", "runs/a", "--epochs", "/"];
        let published = published.map(|argument| without_place(argument.to_string()));
        assert_eq!(published, ["autoshufflenet", "--data-dir=cifar", "runs/a", "--epochs", ""]);
    }
}
