//! `bench`: images per second, by kind of shuffle.

use super::{Configuration, say, train};
use crate::data::{Data, Images};
use crate::hardening::round_all;
use crate::model::{Network, fold};
use crate::settings::Settings;
use crate::shuffle::ShuffleKind;
use crate::training::{Training, check_is_no_run, prepare, write_csv};
use birkhoff::Result;
use birkhoff::io::check_writable;
use clap::{ArgMatches, Args};
use cpu_time::ProcessTime;
use std::path::PathBuf;
use std::time::Instant;
use tch::{Device, no_grad};

/// Flags of `bench`.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    configuration: Configuration,
    /// Steps of each, one after the other in turn
    #[arg(long, default_value_t = 11, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only the training of the manual network, to be compared with another program's
    #[arg(long)]
    manual_only: bool,
    /// Write the table as CSV, too
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Seconds of each round of one contestant: by the clock, and of the processor, which other programs disturb less.
struct Times {
    name: &'static str,
    seconds: Vec<f64>,
    cpu: Vec<f64>,
}

pub(super) fn run(options: &Options, matches: &ArgMatches) -> Result<()> {
    let settings = Settings::merge(options.configuration.config.as_deref(), matches)?;
    if let Some(path) = &options.output {
        check_is_no_run(path)?;
        check_writable(path)?;
    }
    let device = train::set_up(&settings)?;
    let data = Data::open(&settings, device)?;
    let images = settings.batch_size as f64;
    let mut rows = vec![];
    say(&format!(
        "{:?} {}×, batch {}, {} threads, {device:?}; medians of {} rounds in turn",
        settings.model,
        settings.width,
        settings.batch_size,
        tch::get_num_threads(),
        options.rounds
    ));
    say("step       network         images/s  time ÷ manual  processor time ÷ manual (medians of the rounds' ratios)");
    let mut steps = vec![("training", training_times(&settings, &data, device, options)?)];
    if !options.manual_only {
        steps.push(("inference", inference_times(&settings, &data, device, options.rounds)?));
    }
    for (step, times) in &steps {
        for Times { name, seconds, cpu } in times {
            let rate = images / median(seconds.clone());
            let ratio = |ours: &[f64], manual: &[f64]| median(ours.iter().zip(manual).map(|(a, b)| a / b).collect());
            let (time, processor) = (ratio(seconds, &times[0].seconds), ratio(cpu, &times[0].cpu));
            say(&format!("{step:9}  {name:14}  {rate:8.1}  {time:13.3}  {processor:.3}"));
            let cpu_seconds = median(cpu.clone());
            let numbers =
                [format!("{rate:.2}"), format!("{cpu_seconds:.4}"), format!("{time:.4}"), format!("{processor:.4}")];
            rows.push([vec![step.to_string(), name.to_string()], numbers.to_vec()].concat());
        }
    }
    if let Some(path) = &options.output {
        write_csv(
            path,
            &["step", "network", "images_per_second", "cpu_seconds", "time_ratio", "cpu_ratio"].map(str::to_string),
            &rows,
        )?;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whole training steps: forward, backward, SGD, and for auto the penalty and the feasibility step.
fn training_times(settings: &Settings, data: &Data, device: Device, options: &Options) -> Result<Vec<Times>> {
    let contestants = [
        ("manual", ShuffleKind::Manual, false),
        ("auto", ShuffleKind::Auto, false),
        ("auto, hardened", ShuffleKind::Auto, true),
        ("random", ShuffleKind::Random, false),
    ];
    let contestants = if options.manual_only { &contestants[..1] } else { &contestants[..] };
    let settings = contestants.iter().map(|&(_, shuffle, _)| Settings { shuffle, ..settings.clone() });
    let settings: Vec<Settings> = settings.collect();
    let mut trainings = vec![];
    for (settings, &(name, _, hardened)) in settings.iter().zip(contestants) {
        let mut training = Training::new(settings, data, device)?;
        if hardened {
            round_all(&mut training.network)?;
        }
        trainings.push((name, training));
    }
    let batch = data.train_batches(0, 0).next().transpose()?;
    Ok(race(&mut trainings, options.rounds, device, |training| {
        if let Some(batch) = &batch {
            training.train_step(batch, [1e-4, 1e-4]);
        }
    }))
}

/// Evaluation of the manual network, of one with other permutations, and of that one folded.
fn inference_times(settings: &Settings, data: &Data, device: Device, rounds: u32) -> Result<Vec<Times>> {
    let network = |shuffle| {
        let settings = Settings { shuffle, ..settings.clone() };
        Network::new(settings.architecture(data.classes), &settings.beginning(), device)
    };
    let mut folded = network(ShuffleKind::Random)?;
    fold(&mut folded)?;
    let mut networks = vec![
        ("manual", network(ShuffleKind::Manual)?),
        ("random", network(ShuffleKind::Random)?),
        ("random, folded", folded),
    ];
    let batch = data.train_batches(0, 0).next().transpose()?;
    let images = batch.as_ref().map(|Images { pixels, .. }| prepare(settings, data, pixels));
    Ok(race(&mut networks, rounds, device, |network| {
        if let Some(images) = &images {
            drop(no_grad(|| network.forward(images, false)));
        }
    }))
}

/// Seconds of `work` for each contestant, in turn, after a round that does not count.
fn race<C>(
    contestants: &mut [(&'static str, C)],
    rounds: u32,
    device: Device,
    mut work: impl FnMut(&mut C),
) -> Vec<Times> {
    let mut times: Vec<Times> =
        contestants.iter().map(|(name, _)| Times { name, seconds: vec![], cpu: vec![] }).collect();
    for round in 0..=rounds {
        for ((_, contestant), times) in contestants.iter_mut().zip(&mut times) {
            let (begun, processor) = (Instant::now(), ProcessTime::now());
            work(contestant);
            if let Device::Cuda(index) = device {
                tch::Cuda::synchronize(index as i64);
            }
            if round > 0 {
                times.seconds.push(begun.elapsed().as_secs_f64());
                times.cpu.push(processor.elapsed().as_secs_f64());
            }
        }
    }
    times
}
