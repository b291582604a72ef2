//! Random problems of at most eight vertices, every claim compared with all permutations: proofs, bounds, certificates,
//! optima.
//!
//! cargo run --release --example small_problems -- 100000 [FIRST]
//!
//! Problem k is the same in every run: `small_problems 1 k` solves it alone and prints it.

mod enumeration;
mod exact;
mod judge;
mod problem;

use enumeration::Enumeration;
use judge::{Fault, Task, Verdict, judge, numbered};
use problem::Form;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "small_problems COUNT [FIRST]";

/// So many counterexamples of a kind are shown.
const SHOWN: usize = 3;

/// Which of the two runs of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Run {
    Default,
    Drawn,
}

#[derive(Default)]
struct Tally {
    problems: BTreeMap<&'static str, usize>,
    faults: BTreeMap<(Fault, Run), usize>,
    missed_by_method: BTreeMap<&'static str, usize>,
    proved: usize,
    longest: f64,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let numbers: Vec<u64> =
        std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>().map_err(|_| USAGE)?;
    let (count, first) = match numbers[..] {
        [count] => (count, 0),
        [count, first] => (count, first),
        _ => return Err(USAGE.into()),
    };
    let began = Instant::now();
    let mut tally = Tally::default();
    for number in first..first + count {
        let (problem, task) = numbered(number);
        if count == 1 {
            println!("{problem:?}\n{task:?}");
        }
        let truth = Enumeration::of(&problem);
        *tally.problems.entry(if problem.form == Form::Matching { "matching" } else { "assignment" }).or_default() += 1;
        for (run, task) in [(Run::Default, Task::default_for(&problem)), (Run::Drawn, task)] {
            tally.enter(number, run, &task, judge(&problem, &truth, &task, number % 16 == 0));
        }
    }
    Ok(tally.report(began))
}

impl Tally {
    fn enter(&mut self, number: u64, run: Run, task: &Task, verdict: Verdict) {
        self.longest = self.longest.max(verdict.elapsed.as_secs_f64());
        self.proved += usize::from(run == Run::Default && verdict.is_proved);
        for (fault, seen) in verdict.faults {
            if fault.is_of_the_default() && run == Run::Drawn {
                let is_missed = fault == Fault::MissedOptimum;
                *self.missed_by_method.entry(task.settings.method.name()).or_default() += usize::from(is_missed);
                continue;
            }
            let met = self.faults.entry((fault, run)).or_default();
            *met += 1;
            if *met <= SHOWN {
                println!("{number}: {fault:?}, {run:?} ({}, {}): {seen}", task.settings.method, task.settings.effort);
            }
        }
    }

    fn report(&self, began: Instant) -> ExitCode {
        let problems: usize = self.problems.values().sum();
        println!(
            "\n{problems} problems {:?}, two runs each, in {:.0} s; the longest run {:.2} s",
            self.problems,
            began.elapsed().as_secs_f64(),
            self.longest
        );
        println!("proved by the default: {}", self.proved);
        println!("optimum missed by other settings, which promise none: {:?}", self.missed_by_method);
        println!("\n{:<20} {:>9} {:>9}", "fault", "default", "drawn");
        let count = |fault, run| self.faults.get(&(fault, run)).copied().unwrap_or(0);
        for fault in Fault::ALL {
            println!("{:<20} {:>9} {:>9}", format!("{fault:?}"), count(fault, Run::Default), count(fault, Run::Drawn));
        }
        if self.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
