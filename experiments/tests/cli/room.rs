//! A folder to run the program in, and what tests put there.

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

pub const HEXAGON: &str = "0 1\n1 2\n2 3\n3 4\n4 5\n5 0\n";
pub const TRIANGLES: &str = "0 1\n1 2\n2 0\n3 4\n4 5\n5 3\n";
pub const QAP: &str = "3\n0 5 2\n5 0 3\n2 3 0\n\n0 8 15\n8 0 13\n15 13 0\n";

pub const QAP_SOLUTION: &str = "2 2\n1 2\n";

/// A folder of its own to run the program in.
pub struct Room(pub TempDir);

impl Room {
    pub fn with(files: &[(&str, &str)]) -> Room {
        let room = Room(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| std::fs::write(room.0.path().join(name), text).unwrap());
        room
    }

    /// C6 and two triangles.
    pub fn with_regular_graphs() -> Room {
        Room::with(&[("a.edges", HEXAGON), ("b.edges", TRIANGLES)])
    }

    /// `graph_matching` with these arguments, or another program: `two_layer: align a b`.
    pub fn command(&self, arguments: &str) -> Command {
        let (program, arguments) = match arguments.split_once(": ") {
            Some((program, arguments)) if !program.contains(' ') => (program, arguments),
            _ => ("graph_matching", arguments),
        };
        let program = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_graph_matching")).with_file_name(program));
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command
    }

    /// The same, called from a folder of the room.
    pub fn command_in(&self, folder: &str, arguments: &str) -> Command {
        let mut command = self.command(arguments);
        command.current_dir(self.0.path().join(folder));
        command
    }

    pub fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs, expects success, and returns standard output.
    pub fn done(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Expects exit code 2, nothing on standard output, one line on standard error that begins with `message`,
    /// and the folder as it was.
    pub fn refused(&self, arguments: &str, message: &str) {
        self.refused_in("", arguments, message);
    }

    /// The same, called from a folder of the room.
    pub fn refused_in(&self, folder: &str, arguments: &str, message: &str) {
        let before = self.listing();
        let output = self.command_in(folder, arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {stderr}");
        assert!(stderr.starts_with(&format!("error: {message}")), "{arguments}: {stderr}");
        assert_eq!((stderr.lines().count(), stderr.ends_with('\n')), (1, true), "{stderr}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert_eq!(self.listing(), before, "{arguments}");
    }

    /// Every file of the folder, hidden ones and those in folders included, with its bytes; a link to nothing has none.
    pub fn listing(&self) -> BTreeMap<String, Vec<u8>> {
        fn add(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    add(&entry.path(), &format!("{name}/"), files);
                } else {
                    files.insert(name, std::fs::read(entry.path()).unwrap_or_default());
                }
            }
        }
        let mut files = BTreeMap::new();
        add(self.0.path(), "", &mut files);
        files
    }

    /// Copies files or folders of the project, under their names.
    pub fn copy_of_the_projects(&self, names: &[&str]) {
        fn copy(from: &Path, to: &Path) {
            if !from.is_dir() {
                std::fs::copy(from, to).unwrap();
                return;
            }
            std::fs::create_dir_all(to).unwrap();
            for entry in std::fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                copy(&entry.path(), &to.join(entry.file_name()));
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        names.iter().for_each(|name| copy(&root.join(name), &self.0.path().join(name)));
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.bytes(name)).unwrap()
    }

    /// The lines of a match below its header.
    pub fn pairs(&self, name: &str) -> Vec<String> {
        let text = self.text(name);
        let mut lines = text.lines().map(str::to_string);
        assert_eq!(lines.next().as_deref(), Some("a,b"));
        lines.collect()
    }
}

/// All outputs that a search has.
pub const OUTPUTS: &str = "--output match.csv --report report.json --trace trace.csv --plot plot.svg";

pub const SMALL_EXPERIMENT: &str = r#"output_dir = "out/run"
trials = 3
rng_seed = 5
methods = ["relaxation", "penalized", "faq", "relaxation-faq", "projected-gradient", "projected-gradient-exact", "sinkhorn"]
[instances]
n = [10]
p = [0.5]
rho = [1.0, 0.8, 0.0]
[settings]
restarts = 1
"#;
