//! Folders of results: what they replace, what they never do, and what is left when a program is killed.

use super::room::{Room, SMALL_EXPERIMENT};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A folder with a run of the small experiment in it, and the configuration beside.
fn with_a_run() -> Room {
    let room = Room::with(&[("e.toml", SMALL_EXPERIMENT)]);
    room.done("experiment e.toml --trials 1 --quiet");
    room
}

/// A file, and the folders above it.
fn put(room: &Room, name: &str, text: &str) {
    let path = room.0.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_folder_with_anything_else_in_it_is_refused_by_the_name_of_that() {
    // A web project has a manifest.json, too.
    let room = Room::with(&[("e.toml", SMALL_EXPERIMENT)]);
    put(&room, "web/manifest.json", "{\"name\": \"app\", \"icons\": []}");
    put(&room, "web/src/app.js", "run()");
    let again = "experiment e.toml --trials 1 --quiet";
    room.refused(&format!("{again} --output-dir web"), "web: is a folder with other things in it: manifest.json");
    room.refused("two_layer: --smoke --output-dir web", "web: is a folder with other things in it");
    room.refused("error_bounds: --smoke --output-dir web", "web: is a folder with other things in it");
    room.refused("figures: --results nowhere --output-dir web", "web: is a folder with other things in it");
    // Nor is a foreign file excused by a manifest of ours that does not list it.
    let room = with_a_run();
    for (name, message) in [
        ("out/run/notes.txt", "out/run: holds notes.txt, which no run of graph_matching has written"),
        ("out/run/inner/notes.txt", "out/run: holds inner, which no run"),
        ("out/run/.hidden", "out/run: holds .hidden, which no run"),
    ] {
        put(&room, name, "mine");
        room.refused(again, message);
        std::fs::remove_file(room.0.path().join(name)).unwrap();
        let _ = std::fs::remove_dir(room.0.path().join(name).parent().unwrap());
    }
    room.done(again);
    room.refused("two_layer: --smoke --output-dir out/run", "out/run: holds a run of graph_matching");
    let trials = room.text("out/run/trials.csv");
    put(&room, "out/run/trials.csv", &(trials + "my own row\n"));
    room.refused(again, "out/run: holds trials.csv, which is not as a run of graph_matching has written it");
}

#[test]
fn the_current_folder_is_not_pulled_away() {
    let room = with_a_run();
    let again = "experiment config.toml --trials 1 --quiet --output-dir";
    for place in [".", "../run", "../run/", "..", "../../out/run/.", room.0.path().join("out/run").to_str().unwrap()] {
        room.refused_in(
            "out/run",
            &format!("{again} {place}"),
            &format!("{place}: is the current folder, or holds it"),
        );
    }
    assert!(room.command_in("out/run", &format!("{again} ../other")).output().unwrap().status.success());
    assert!(room.0.path().join("out/other/trials.csv").exists());
}

#[test]
fn committed_results_of_earlier_versions_are_replaced_as_long_as_they_are_whole() {
    let room = Room::with(&[("e.toml", SMALL_EXPERIMENT)]);
    room.copy_of_the_projects(&["results/graph_matching"]);
    // It is of before manifests were sealed, as git has it.
    let manifest = room.text("results/graph_matching/manifest.json");
    let earlier: String =
        manifest.lines().filter(|line| !line.contains("manifest_sha256")).map(|line| format!("{line}\n")).collect();
    put(&room, "results/graph_matching/manifest.json", &earlier);
    put(&room, "results/graph_matching/notes.md", "");
    let replace = "experiment e.toml --trials 1 --quiet --output-dir results/graph_matching";
    room.refused(replace, "results/graph_matching: holds notes.md");
    std::fs::remove_file(room.0.path().join("results/graph_matching/notes.md")).unwrap();
    room.done(replace);
    assert_eq!(room.text("results/graph_matching/trials.csv").lines().count(), 1 + 3 * 7);
}

#[test]
fn a_drawing_replaces_nothing_but_a_drawing() {
    let room = Room::with(&[]);
    room.copy_of_the_projects(&["results", "paper_figures"]);
    put(&room, "paper_figures/index.html", "my own page");
    room.refused(
        "figures: --quiet",
        "paper_figures: holds index.html, which is not as a run of figures has written it",
    );
    put(&room, "site/index.html", "my own page");
    room.refused("figures: --quiet --output-dir site", "site: is a folder with other things in it, index.html for one");
}

#[test]
fn a_generated_pair_replaces_nothing_but_generated_pairs() {
    let room = Room::with(&[("truth.csv", "a,b\nmy,own\n"), ("notes.txt", "mine")]);
    let generate = "generate er --n 5 --rho 0.5 --output-dir";
    room.refused(
        &format!("{generate} ."),
        "./truth.csv: is there already, and not as graph_matching generate has written it",
    );
    std::fs::remove_file(room.0.path().join("truth.csv")).unwrap();
    room.done(&format!("{generate} ."));
    room.done(&format!("{generate} . --rng-seed 1"));
    room.done("generate gaussian --n 4 --rho 0.5 --output-dir .");
    room.done(&format!("{generate} . --rng-seed 2"));
    put(&room, "b.edges", "0 1\n");
    room.refused(&format!("{generate} ."), "./b.edges: is there already");
    put(&room, "web/manifest.json", "{\"name\": \"app\"}");
    room.refused(&format!("{generate} web"), "web/manifest.json: is there already");
    assert_eq!(room.text("notes.txt"), "mine");
}

/// Waits until there is something, or the process has ended.
fn wait_for(child: &mut Child, what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(300), "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// All that is there but times.
fn untimed(room: &Room) -> Vec<(String, Vec<u8>)> {
    let timed = |name: &str| name.ends_with("timings.csv") || name.ends_with("manifest.json");
    room.listing().into_iter().filter(|(name, _)| !timed(name)).collect()
}

#[test]
fn a_killed_run_goes_on_and_leaves_nothing_behind() {
    let (whole, killed) = (with_a_run(), with_a_run());
    whole.done("experiment e.toml --quiet");
    let partial = killed.0.path().join("out/run.partial");
    // At its first job, at its results, and wherever it is some moments later.
    for (awaited, later) in [("jobs.jsonl", 0), ("jobs.jsonl", 20), ("made/trials.csv", 0), ("made/recovery.png", 0)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
        command.args(["experiment", "e.toml", "--threads", "1", "--quiet"]).current_dir(killed.0.path());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        wait_for(&mut child, || partial.join(awaited).exists());
        std::thread::sleep(Duration::from_millis(later));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(killed.0.path().join("out/run/trials.csv").exists(), "the older run stays");
    }
    killed.done("experiment e.toml --quiet");
    assert!(untimed(&killed) == untimed(&whole));
}

#[test]
fn of_three_processes_in_one_folder_one_does_the_work_and_the_others_say_so() {
    let (whole, shared) = (with_a_run(), with_a_run());
    whole.done("experiment e.toml --quiet");
    let start = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
        command.args(["experiment", "e.toml", "--threads", "1", "--quiet"]).current_dir(shared.0.path());
        command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let outputs = [start(), start(), start()].map(|child| child.wait_with_output().unwrap());
    assert!(outputs.iter().any(|output| output.status.success()));
    for refused in outputs.iter().filter(|output| !output.status.success()) {
        let stderr = String::from_utf8_lossy(&refused.stderr);
        let message = "error: out/run.partial: another process is at work on this run";
        assert!(refused.status.code() == Some(2) && stderr.starts_with(message), "{stderr}");
    }
    assert!(untimed(&shared) == untimed(&whole));
}
