//! Searches that are killed and go on, and checkpoints that are not theirs.

use super::room::Room;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const SEARCH: &str = "match a.edges b.edges --engine sparse --hold-out 0.02 --output match.csv --report report.json";

fn with_a_pair() -> Room {
    let room = Room::with(&[]);
    room.done("generate sparse --n 600 --degree 7 --noise 0.2 --output-dir .");
    room
}

/// A report without its times.
fn timeless(room: &Room) -> Value {
    let mut report = room.json("report.json");
    report["seconds"] = Value::Null;
    report["runs"].as_array_mut().unwrap().iter_mut().for_each(|run| run["seconds"] = Value::Null);
    report
}

/// Paths that are kept: all lines but two.
fn paths(file: &Path) -> usize {
    std::fs::read_to_string(file).map_or(0, |text| text.lines().count() - 2)
}

#[test]
fn a_search_that_is_killed_again_and_again_ends_with_the_answer_of_one_in_one_go() {
    let (whole, killed) = (with_a_pair(), with_a_pair());
    whole.done(&format!("{SEARCH} --threads 2"));
    let file = killed.0.path().join("kept");
    let mut kills = 0;
    loop {
        let before = paths(&file);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
        command.args(SEARCH.split(' ')).args(["--checkpoint", "kept", "--quiet", "--threads", "1"]);
        let mut child = command.current_dir(killed.0.path()).spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if paths(&file) > before {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        match status {
            Some(status) => break assert!(status.success()),
            None => kills += 1,
        }
        assert!(!killed.0.path().join("match.csv").exists());
    }
    assert!(kills > 1, "{kills} kills");
    assert_eq!(killed.text("match.csv"), whole.text("match.csv"));
    assert_eq!(timeless(&killed), timeless(&whole));

    // The answer is kept, and no limit keeps it from being given.
    let kept = killed.bytes("kept");
    let summary = killed.done(&format!("{SEARCH} --checkpoint kept --time-limit 0.001"));
    let all = paths(&file);
    assert!(summary.contains(&format!("kept: {all} of {all} paths were there")), "{summary}");
    assert_eq!((killed.text("match.csv"), killed.bytes("kept")), (whole.text("match.csv"), kept));
}

#[test]
fn a_checkpoint_of_another_search_or_of_none_is_refused_and_left_alone() {
    let room = Room::with(&[]);
    room.done("generate sparse --n 60 --degree 4 --noise 0 --output-dir .");
    let search = "match a.edges b.edges --engine sparse --checkpoint kept";
    room.done(search);
    for (option, cause) in [
        ("--rng-seed 1", "its rng_seed is '0', and not 1"),
        ("--hold-out 0.1", "its hold_out is '0', and not 0.1"),
        ("--penalty frobenius", "its penalty is 'l1-minus-l2', and not frobenius"),
        ("--effort quick", "its repeats is 'true', and not false"),
        ("--layer b.edges a.edges", "it has no layer 2 of graph A"),
        ("--anchors known", "it has other anchors"),
    ] {
        std::fs::copy(room.0.path().join("truth.csv"), room.0.path().join("known")).unwrap();
        room.refused(&format!("{search} {option}"), &format!("kept: is of another search: {cause}"));
    }
    room.refused(
        &search.replace("match a.edges b.edges", "match b.edges a.edges"),
        "kept: is of another search: it has other graph A",
    );
    let text = room.text("kept");
    let write = |text: &str| std::fs::write(room.0.path().join("kept"), text).unwrap();
    for (damaged, cause) in [
        ("", "is empty, and no checkpoint"),
        ("0 1\n1 2\n", "is no checkpoint of a search"),
        (
            &text.replacen("checkpoint 1", "checkpoint 2", 1),
            "is 'birkhoff checkpoint 2', but must be birkhoff checkpoint 1",
        ),
        (&text[..text.len() - 9], "is damaged: its content has not the sha256"),
        (&text.replacen("repeats", "repeatz", 1), "is damaged: its content has not the sha256"),
    ] {
        write(damaged);
        room.refused(search, &format!("kept: {cause}"));
    }
    room.refused(&search.replace("--checkpoint kept", "--checkpoint b.edges"), "b.edges: is an input, and would be");
    room.refused(&format!("{search} --output ./kept"), "kept: is given for two outputs: it is ./kept");
    room.refused(&search.replace("--checkpoint kept", "--checkpoint nowhere/kept"), "nowhere/kept: the folder");
    room.refused(
        &search.replace("--checkpoint kept", "--checkpoint -"),
        "-: is a stream, but a checkpoint is read again",
    );
    let dense = "checkpoint: keeps the sparse search, which these graphs and settings are not for";
    for options in ["", "--engine dense", "--start relaxed", "--trace t.csv", "--method faq"] {
        room.refused(&format!("match a.edges b.edges --checkpoint new {options}"), dense);
    }
    assert_eq!(room.run("qap a.dat --checkpoint new").status.code(), Some(2));
}
