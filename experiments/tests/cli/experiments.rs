//! The experiment and its folder.

use super::room::{Room, SMALL_EXPERIMENT};
use serde_json::Value;

#[test]
fn the_experiment_gives_the_same_files_for_any_number_of_threads() {
    let room = Room::with(&[("e.toml", SMALL_EXPERIMENT)]);
    let table = room.done("experiment e.toml --threads 1");
    assert!(table.contains("penalized") && table.contains("0 (null)") && table.contains("3 trials"), "{table}");
    let first = room.listing();
    let names: Vec<_> = first.keys().map(String::as_str).filter_map(|name| name.strip_prefix("out/run/")).collect();
    let expected = [
        "config.toml",
        "heat.csv",
        "manifest.json",
        "path.csv",
        "recovery.png",
        "recovery.svg",
        "rho50.csv",
        "summary.csv",
        "timings.csv",
        "trials.csv",
    ];
    assert_eq!(names, expected);
    assert_eq!(room.text("out/run/trials.csv").lines().count(), 1 + 3 * 3 * 7);
    assert!(!room.text("out/run/trials.csv").lines().skip(1).any(|row| row.split(',').nth(5) != Some("ok")));

    // From its own configuration, over the older run, on two threads.
    assert!(room.done("experiment out/run/config.toml --threads 2 --quiet").is_empty());
    let second = room.listing();
    for name in expected.iter().filter(|name| !["manifest.json", "timings.csv"].contains(name)) {
        assert!(first[&format!("out/run/{name}")] == second[&format!("out/run/{name}")], "{name}");
    }
    assert_eq!(first.len(), second.len());

    let manifest = room.json("out/run/manifest.json");
    assert_eq!(manifest["files"].as_object().unwrap().len(), expected.len() - 1);
    assert_eq!(manifest["files"]["trials.csv"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!((&manifest["threads"], &manifest["rng_seed"]), (&Value::from(2), &Value::from(5)));
    let header = room.text("out/run/trials.csv").lines().next().unwrap().to_string();
    for (file, columns) in manifest["columns"].as_object().unwrap() {
        let header = room.text(&format!("out/run/{file}")).lines().next().unwrap().to_string();
        let mut written: Vec<&str> = header.split(',').collect();
        written.sort_unstable();
        let mut described: Vec<&str> = columns.as_object().unwrap().keys().map(String::as_str).collect();
        described.sort_unstable();
        assert_eq!(written, described, "{file}");
    }
    assert!(header.starts_with("n,p,rho,trial,method,status,node_correctness"));

    room.done("experiment e.toml --trials 1 --rng-seed 6 --output-dir other --quiet");
    assert_eq!(room.text("other/trials.csv").lines().count(), 1 + 3 * 7);
    assert!(room.text("other/config.toml").contains("rng_seed = 6"));
}

/// Runs on one thread and on two, and compares all files but timings and manifest; the manifest describes every column.
fn repeats_itself(program: &str, csv_files: &[&str]) {
    let room = Room::with(&[]);
    room.done(&format!("{program}: --smoke --output-dir run --threads 1 --quiet"));
    let first = room.listing();
    let table = room.done(&format!("{program}: --smoke --output-dir run --threads 2"));
    assert!(table.ends_with("Results: run\n"), "{table}");
    let second = room.listing();
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for name in first.keys().filter(|name| !name.ends_with("timings.csv") && !name.ends_with("manifest.json")) {
        assert!(first[name] == second[name], "{name}");
    }
    let manifest = room.json("run/manifest.json");
    for file in csv_files {
        let header = room.text(&format!("run/{file}")).lines().next().unwrap().to_string();
        let columns = manifest["columns"][file].as_object().unwrap_or_else(|| panic!("{file} is not described"));
        assert_eq!(header.split(',').count(), columns.len(), "{file}");
        assert!(header.split(',').all(|column| columns.contains_key(column)), "{file}");
    }
}

#[test]
fn the_two_layer_experiment_gives_the_same_files_for_any_number_of_threads() {
    let files = ["trials.csv", "timings.csv", "summary.csv", "trajectories.csv", "landscapes.csv"];
    repeats_itself("two_layer", &files);
}

#[test]
fn the_error_bounds_experiment_gives_the_same_files_for_any_number_of_threads() {
    repeats_itself("error_bounds", &["trials.csv", "histogram.csv", "ascent.csv"]);
}

/// Two sizes, two densities, a variant.
fn sweep() -> Room {
    let variant = "[[variants]]\nname = \"path\"\ndescents = false\n[instances]\nn = [8, 10]\np = [0.5, 0.3]";
    Room::with(&[("e.toml", &SMALL_EXPERIMENT.replace("[instances]\nn = [10]\np = [0.5]", variant))])
}

/// All files of the run but those that hold times.
fn results(room: &Room) -> Vec<(String, Vec<u8>)> {
    let timed = |name: &str| name.ends_with("timings.csv") || name.ends_with("manifest.json");
    room.listing().into_iter().filter(|(name, _)| !timed(name)).collect()
}

#[test]
fn a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes() {
    let whole = sweep();
    whole.done("experiment e.toml --threads 2 --quiet");
    assert_eq!(whole.text("out/run/trials.csv").lines().count(), 1 + 2 * 2 * 3 * 3 * 8);

    // A third of the jobs are done, and the last of them was cut off in the middle of its line.
    let stopped = sweep();
    stopped.done("experiment e.toml --shard 1/3 --threads 1 --quiet");
    let path = stopped.0.path().join("out/run.partial/jobs-1-of-3.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1 + 12);
    std::fs::write(&path, &text[..text.len() - 40]).unwrap();
    stopped
        .refused("experiment e.toml --trials 2 --quiet", "out/run.partial/jobs-1-of-3.jsonl: was begun with another");
    // The same folder, called otherwise: the place is no part of what was begun.
    stopped.done("experiment e.toml --output-dir ./out/../out/run/ --threads 1 --shard 2/3 --quiet");
    stopped.done("experiment e.toml --threads 1 --quiet");
    assert!(!stopped.0.path().join("out/run.partial").exists());
    assert!(results(&whole) == results(&stopped));
}

#[test]
fn shards_come_together_to_the_bytes_of_one_run() {
    let whole = sweep();
    whole.done("experiment e.toml --quiet");
    let shards = sweep();
    shards.refused("experiment e.toml --merge --quiet", "out/run: 36 of 36 jobs are not done");
    for number in 1..=3 {
        let said = shards.done(&format!("experiment e.toml --shard {number}/3"));
        assert!(said.contains("out/run.partial"), "{said}");
    }
    assert!(!shards.0.path().join("out/run").exists());
    shards.done("experiment e.toml --merge --quiet");
    assert!(results(&whole) == results(&shards));
}

#[test]
fn the_other_experiments_go_on_as_well() {
    for program in ["two_layer", "error_bounds"] {
        let (whole, stopped) = (Room::with(&[]), Room::with(&[]));
        whole.done(&format!("{program}: --smoke --output-dir run --quiet"));
        stopped.done(&format!("{program}: --smoke --output-dir run --shard 2/2 --quiet"));
        assert!(!stopped.0.path().join("run").exists());
        stopped.done(&format!("{program}: --smoke --output-dir run --threads 1 --quiet"));
        assert!(results(&whole) == results(&stopped), "{program}");
    }
}

#[test]
fn gaussian_matrices_have_no_density_and_all_edges() {
    let gaussian = SMALL_EXPERIMENT.replace("p = [0.5]", "model = \"gaussian\"");
    let room = Room::with(&[("e.toml", &gaussian)]);
    let table = room.done("experiment e.toml");
    assert!(
        table.starts_with("Correlated Gaussian (Wigner) matrices, n = 10: ") && !table.contains("Edges"),
        "{table}"
    );
    assert!(room.text("out/run/trials.csv").lines().skip(1).all(|row| row.starts_with("10,,")));
}

/// The README's first command, and all others like it, then what its second one checks.
#[test]
fn what_is_committed_stays_whatever_is_run_and_the_figures_are_those_of_the_results() {
    let room = Room::with(&[]);
    room.copy_of_the_projects(&["results", "paper_figures", "experiments", ".gitignore"]);
    let committed =
        || -> Vec<_> { room.listing().into_iter().filter(|(name, _)| !name.starts_with("runs/")).collect() };
    let before = committed();
    for command in ["", "two_layer: ", "error_bounds: "] {
        room.done(&format!("{command}--smoke --quiet"));
    }
    for configuration in std::fs::read_dir(room.0.path().join("experiments")).unwrap() {
        let name = configuration.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".toml").filter(|stem| *stem != "Cargo") else { continue };
        let program = if room.text(&format!("experiments/{name}")).contains("instances") { "experiment " } else { "" };
        let program = if stem == "two_layer" { "two_layer: experiment " } else { program };
        let program = if stem == "error_bounds" { "error_bounds: " } else { program };
        room.done(&format!("{program}experiments/{name} --smoke --trials 1 --quiet"));
        assert!(room.text(&format!("runs/{stem}/config.toml")).contains("output_dir"), "{name}");
    }
    room.done("figures: --quiet");
    let after = committed();
    assert_eq!(
        after.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        before.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    for ((name, now), (_, then)) in after.iter().zip(&before) {
        assert!(now == then, "{name} is not as it was committed");
        assert!(now.len() < 1 << 20, "{name} is too large");
    }
    assert!(room.text(".gitignore").lines().any(|line| line == "/runs"), "git ignores what the programs write");
}
