//! What a run that goes on may be told anew: that which does not change what it learns.

use super::Settings;
use birkhoff::{Error, Result};
use clap::ArgMatches;
use std::path::Path;

/// Where images and results are, what is computed with, and what is tested. Of these, `device`, `threads` and
/// `channels_last` change the last digits, because sums are added up in another order; `test_images` and `test_every`
/// what is reported.
const FREE: [&str; 9] = [
    "data_dir",
    "workers",
    "prefetch",
    "test_images",
    "test_every",
    "device",
    "threads",
    "channels_last",
    "output_dir",
];

impl Settings {
    /// The settings of this run, with those of a file and of the flags that may be given anew.
    ///
    /// # Errors
    /// [`Error::Argument`] for one that would change the result, with both values; as [`Settings::merge`].
    pub fn anew(&self, file: Option<&Path>, matches: &ArgMatches) -> Result<Self> {
        let mut table = self.to_table()?;
        for (key, value) in Self::given(file, matches)? {
            let own = table.get(&key);
            if !FREE.contains(&key.as_str()) && own != Some(&value) {
                let own = own.map_or("no such setting".to_string(), |own| format!("{own}"));
                let flag = key.replace('_', "-");
                return Err(Error::argument(
                    "resume",
                    format!("--{flag} {value} would change the result, for the run has {own}: leave it out"),
                ));
            }
            table.insert(key, value);
        }
        Self::from_table(table)
    }

    /// The first setting, not among those that may be given anew, in which another run differs: its name, and both
    /// values.
    ///
    /// # Errors
    /// As [`Settings::to_toml`].
    pub fn difference(&self, other: &Settings) -> Result<Option<(String, [String; 2])>> {
        let (ours, theirs) = (self.to_table()?, other.to_table()?);
        let keys = ours.keys().chain(theirs.keys()).filter(|key| !FREE.contains(&key.as_str()));
        let value = |table: &toml::Table, key: &str| table.get(key).map_or("nothing".to_string(), |v| v.to_string());
        Ok(keys
            .map(|key| (key.clone(), [value(&ours, key), value(&theirs, key)]))
            .find(|(_, [ours, theirs])| ours != theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, Command};

    fn flags(arguments: &[&str]) -> ArgMatches {
        let command = Settings::augment_args(Command::new("settings"));
        command.get_matches_from([&["settings"], arguments].concat())
    }

    #[test]
    fn what_does_not_change_the_result_is_taken_anew_and_all_else_refused_by_name() {
        let run = Settings { epochs: 7, data_dir: Some("here".into()), ..Settings::default() };
        let anew = |arguments: &[&str]| run.anew(None, &flags(arguments));
        let free = ["--data-dir=there", "--workers=3", "--prefetch=4", "--test-images=9", "--test-every=2"];
        let there =
            anew(&[&free[..], &["--device=cpu", "--threads=5", "--channels-last", "--output-dir=new"]].concat());
        let there = there.unwrap();
        assert_eq!((there.epochs, there.workers, there.threads), (7, 3, 5));
        assert_eq!((there.data_dir.unwrap(), there.output_dir), ("there".into(), "new".into()));
        assert_eq!(anew(&["--epochs", "7"]).unwrap(), run, "what it has already");
        assert!(anew(&["--threads", "100000"]).unwrap_err().to_string().contains("threads"));

        // Every setting is either free or refused; none is forgotten when one is added.
        let all = run.to_table().unwrap();
        let optional = ["penalty_weight", "trace_matrix"].map(str::to_string);
        let fixed = all.keys().chain(&optional).filter(|key| !FREE.contains(&key.as_str()));
        let mut refused = 0;
        for key in fixed {
            let flag = format!("--{}", key.replace('_', "-"));
            let value = match key.as_str() {
                "no_early_hardening" | "no_augmentation" => None,
                "data" => Some("cifar10"),
                "model" => Some("v1"),
                "shuffle" | "trace_matrix" => Some("none"),
                "penalty_ramp" => Some("constant"),
                "schedule" => Some("linear"),
                "precision" => Some("bf16"),
                "start_manual" | "momentum" | "label_smoothing" => Some("0.125"),
                _ => Some("8"),
            };
            let arguments: Vec<&str> = [Some(flag.as_str()), value].into_iter().flatten().collect();
            let message = anew(&arguments).unwrap_err().to_string();
            assert!(message.contains(&flag) && message.contains("would change the result"), "{message}");
            refused += 1;
        }
        assert_eq!(refused + FREE.len(), all.len() + optional.len() + 1, "channels_last is in no table by default");
    }

    #[test]
    fn runs_differ_where_what_they_learn_does() {
        let run = Settings::default();
        let same = Settings { threads: 3, output_dir: "elsewhere".into(), test_every: 0, ..run.clone() };
        assert_eq!(run.difference(&same).unwrap(), None);
        let other = Settings { penalty_weight: Some(2.0), ..run.clone() };
        let (key, values) = run.difference(&other).unwrap().unwrap();
        assert_eq!((key.as_str(), values), ("penalty_weight", ["nothing".to_string(), "2.0".to_string()]));
    }
}
