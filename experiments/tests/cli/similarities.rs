//! Similarities beside the graphs.

use super::room::{HEXAGON, Room};
use serde_json::Value;
use std::fmt::Write;

/// A pair of 3n vertices: a random graph, a copy, and two leaves at every vertex, which nothing tells apart but the
/// similarities, 1 for the right ones. Vertices have the same names in both.
fn twins(room: &Room, n: usize) {
    room.done(&format!("generate sparse --n {n} --degree 6 --noise 0 --output-dir core"));
    let truth = room.text("core/truth.csv");
    let (mut names, mut similar) = (vec![String::new(); n], String::new());
    for line in truth.lines().skip(1) {
        let (a, b) = line.split_once(',').unwrap();
        names[b.parse::<usize>().unwrap()] = a.to_string();
    }
    let leaf = |of: usize, side: char| format!("{of}{side}");
    let mut leaves = String::new();
    for of in 0..n {
        for side in ['l', 'r'] {
            writeln!(leaves, "{of} {}", leaf(of, side)).unwrap();
            writeln!(similar, "{0} {0} 1", leaf(of, side)).unwrap();
        }
    }
    let renamed = |line: &str| {
        let ends = line.split_whitespace().map(|end| names[end.parse::<usize>().unwrap()].clone());
        ends.collect::<Vec<_>>().join(" ") + "\n"
    };
    let text_of_b = room.text("core/b.edges");
    let core_of_b: String = text_of_b.lines().filter(|line| !line.starts_with('#')).map(renamed).collect();
    let put = |name: &str, text: String| std::fs::write(room.0.path().join(name), text).unwrap();
    put("a.edges", room.text("core/a.edges") + &leaves);
    // The leaves of B come the other way round.
    let turned: Vec<&str> = leaves.lines().rev().collect();
    put("b.edges", core_of_b + &turned.join("\n") + "\n");
    put("similar", similar);
    let all = (0..n).flat_map(|of| [of.to_string(), leaf(of, 'l'), leaf(of, 'r')]);
    put("truth", all.map(|name| format!("{name} {name}\n")).collect());
}

#[test]
fn triples_of_a_large_pair_take_no_matrix() {
    let room = Room::with(&[]);
    twins(&room, 2000);
    let right = |options: &str| {
        let arguments = format!("match a.edges b.edges --truth truth --threads 1 --report r.json {options}");
        let mut command = room.command(&arguments);
        if cfg!(target_os = "linux") {
            // A matrix of 6000 x 6000 numbers takes 288 MB.
            let program = command.get_program().to_os_string();
            command = assert_cmd::Command::new("sh");
            command.current_dir(room.0.path()).env("MALLOC_ARENA_MAX", "1");
            command.args(["-c", "ulimit -v 250000 && exec \"$0\" \"$@\""]).arg(program);
            command.args(arguments.split_whitespace());
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report = room.json("r.json");
        assert_eq!(report["runs"][0]["name"], Value::from("sparse"));
        assert_eq!(report["edge_correctness"], Value::from(1.0));
        report["right_vertices"].as_u64().unwrap()
    };
    let (without, with) = (right("--hold-out 0"), right("--hold-out 0 --similarity similar"));
    assert!(without < 4500 && with >= 5980, "{without}, {with}");
    assert_eq!(right("--hold-out 0 --similarity similar --similarity-weight 0"), without);
}

#[test]
fn engines_agree_on_what_a_match_with_similarities_is_worth() {
    let room = Room::with(&[]);
    twins(&room, 70);
    let values = ["sparse", "dense", "auto"].map(|engine| {
        room.done(&format!(
            "match a.edges b.edges --similarity similar --engine {engine} --output m.csv --report r.json"
        ));
        let pairs = room.pairs("m.csv");
        assert!(pairs.iter().all(|pair| pair.split_once(',').is_some_and(|(a, b)| a == b)), "{engine}");
        room.json("r.json")["value"].as_f64().unwrap()
    });
    assert!(values[0] < -140.0 && values[1..] == [values[0]; 2], "{values:?}");
}

#[test]
fn similarities_decide_between_matches_of_one_overlap() {
    let room = Room::with(&[("a", HEXAGON), ("similar", "0 2 1\n1 1 1\n"), ("unlike", "0,0,0,1,1,1\n1,0,1,1,1,1\n")]);
    room.done("match a a --objective overlap --similarity similar --output m.csv --report r.json");
    assert_eq!(room.pairs("m.csv"), ["0,2", "1,1", "2,0", "3,5", "4,4", "5,3"]);
    // κ is the mean degree, 2.
    assert_eq!(room.json("r.json")["value"], Value::from(-4.0));
    assert_eq!(room.json("r.json")["overlap"]["common"], Value::from(12.0));
    room.refused("match a a --objective overlap --similarity unlike", "unlike: similarities must be 6 x 6");
    room.refused(
        "match a a --objective overlap --similarity similar --similarity-weight 1e308",
        "similar: with its weight of -inf: linear term: entry (0, 2) is -inf",
    );
}
