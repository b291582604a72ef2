//! What the commands answer.

use super::room::{HEXAGON, OUTPUTS, QAP, Room, TRIANGLES};
use serde_json::Value;
use std::path::Path;

#[test]
fn a_hexagon_against_two_triangles_is_proved_only_where_every_permutation_is_looked_at() {
    let room = Room::with_regular_graphs();
    let summary = room.done(&format!("match a.edges b.edges --no-descents {OUTPUTS}"));
    let report = room.json("report.json");
    assert_eq!((&report["value"], &report["lower_bound"]), (&Value::from(8.0), &Value::from(0.0)));
    assert_eq!((&report["optimality_gap"], &report["proved_optimal"]), (&Value::from(8.0), &Value::from(false)));
    assert_eq!(report["standing"], Value::from("open"));
    assert_eq!(report["edge_correctness"], Value::from(4.0 / 6.0));
    assert_eq!(report["node_correctness"], Value::Null);
    assert!(!summary.contains("proved optimal") && summary.contains("not proved"), "{summary}");

    let summary = room.done(&format!("match a.edges b.edges {OUTPUTS}"));
    let report = room.json("report.json");
    assert_eq!((&report["value"], &report["lower_bound"]), (&Value::from(8.0), &Value::from(8.0)));
    assert_eq!((&report["proved_optimal"], &report["standing"]), (&Value::from(true), &Value::from("proved")));
    assert!(summary.contains("proved optimal"), "{summary}");
}

#[test]
fn an_isomorphic_friendly_graph_is_matched_and_proved_optimal() {
    let room = Room::with(&[]);
    room.done("generate er --n 20 --rho 1 --output-dir .");
    let summary = room.done("match a.edges b.edges --truth truth.csv --report report.json --output match.csv");
    assert!(summary.contains("proved optimal") && !summary.contains("not proved"), "{summary}");
    let report = room.json("report.json");
    for (key, value) in [("value", 0.0), ("optimality_gap", 0.0), ("edge_correctness", 1.0), ("node_correctness", 1.0)]
    {
        assert_eq!(report[key], Value::from(value), "{key}");
    }
    assert_eq!(report["proved_optimal"], Value::from(true));
    let (mut found, mut truth) = (room.pairs("match.csv"), room.pairs("truth.csv"));
    found.sort();
    truth.sort();
    assert_eq!(found, truth);
}

#[test]
fn the_overlap_of_two_connectomes_is_maximized_from_a_match_of_ones_own() {
    // By squared differences the arcs of 9 and 10 would meet; by overlap 5 + 5 is more than 9.
    let a = "From,To,Weight\nm1,m2,9\nm2,m3,5\nm3,m1,5\n";
    let b = "From,To,Weight\nf1,f2,1\nf2,f3,10\nf3,f1,5\n";
    let room = Room::with(&[("a.csv", a), ("b.csv", b), ("start.csv", "a,b\nm1,f1\n")]);
    let command = "match a.csv b.csv --directed --objective overlap";
    let summary = room.done(&format!("{command} --start-match start.csv {OUTPUTS}"));
    let report = room.json("report.json");
    assert_eq!(report["overlap"]["common"], Value::from(15.0), "{summary}");
    assert_eq!((&report["overlap"]["most"], &report["value"]), (&Value::from(15.0), &Value::from(5.0)));
    assert_eq!(report["proved_optimal"], Value::from(true));
    assert_eq!(report["files"]["start_match"], Value::from("start.csv"));
    assert!(summary.contains("overlap       15 of at most 15 (100.00 %)"), "{summary}");
    assert!(report["runs"].as_array().unwrap().iter().any(|run| run["name"] == "given"), "{report}");
    assert!(room.pairs("match.csv").contains(&"m1,f2".to_string()));
}

#[test]
fn graphs_are_matched_without_matrices_where_that_is_asked_for() {
    let room = Room::with(&[]);
    room.done("generate sparse --n 300 --degree 6 --noise 0 --output-dir .");
    let summary = room.done("match a.edges b.edges --truth truth.csv --engine sparse --report report.json");
    let report = room.json("report.json");
    assert_eq!((&report["value"], &report["proved_optimal"]), (&Value::from(0.0), &Value::from(true)));
    assert_eq!((&report["runs"][0]["name"], &report["certified"]), (&Value::from("sparse"), &Value::from(true)));
    assert!(summary.contains("proved optimal"), "{summary}");
}

#[test]
fn hidden_edges_tell_an_answer_from_none() {
    let room = Room::with(&[]);
    room.done("generate sparse --n 600 --degree 8 --noise 0.05 --output-dir pair");
    room.done("generate sparse --n 600 --degree 8 --noise 0.05 --rng-seed 1 --output-dir other");
    let evidence = |b: &str, words: &str, by_chance: &str| {
        let test = format!("match pair/a.edges {b} --engine sparse --hold-out 0.1 --report report.json");
        let summary = room.done(&test);
        assert!(summary.contains(&format!("held out      {words}: of 2")), "{summary}");
        assert!(summary.contains(&format!("chance        {by_chance}")), "{summary}");
        let report = room.json("report.json");
        assert_eq!(report["chance"]["not_by_chance"], Value::from(by_chance.starts_with("not by chance")));
        assert_eq!(report["chance"]["bounds"][1]["null"], Value::from("degrees"));
        report["held_out"].clone()
    };
    let related = evidence("pair/b.edges", "far above chance", "not by chance: fewer than 1 in 10^");
    assert!(related["share"].as_f64().unwrap() > 0.7, "{related}");
    let unrelated = evidence("other/b.edges", "no better than chance", "not excluded: unrelated graphs");
    assert!(unrelated["interval"][0].as_f64().unwrap() < 0.03, "{unrelated}");
    let untested = "match pair/a.edges pair/b.edges --engine sparse --hold-out 0 --report report.json";
    assert!(!room.done(untested).contains("held out"));
    assert!(room.json("report.json")["held_out"].is_null());
}

#[test]
fn the_report_has_every_promised_key() {
    let room = Room::with_regular_graphs();
    room.done("match a.edges b.edges --report report.json");
    let report = room.json("report.json");
    for key in [
        "n",
        "method",
        "value",
        "edge_correctness",
        "node_correctness",
        "penalty",
        "certified",
        "lower_bound",
        "optimality_gap",
        "proved_optimal",
        "iterations",
        "lap_calls",
        "seconds",
        "termination",
        "rng_seed",
        "version",
        "n_a",
        "n_b",
        "edges_a",
        "edges_b",
        "common_edges",
        "unmatched",
        "restarts",
        "winner",
        "anchors",
        "files",
        "best_known",
        "gap_percent",
    ] {
        assert!(report.get(key).is_some(), "{key}");
    }
}

#[test]
fn the_start_suits_the_graphs_and_the_report_lists_every_run() {
    let room = Room::with(&[]);
    room.done("generate regular --n 60 --degree 4 --noise 0.05 --rng-seed 1 --output-dir .");
    let names = |options: &str| {
        let summary = room.done(&format!("match a.edges b.edges --truth truth.csv --report r.json {options}"));
        let report = room.json("r.json");
        let runs = report["runs"].as_array().unwrap().clone();
        let winner = report["winner"].as_u64().unwrap() as usize;
        assert_eq!(runs[winner]["value"], report["value"], "{options}");
        assert!(runs.iter().all(|run| run["value"].as_f64() >= report["value"].as_f64()), "{options}");
        let named: Vec<String> = runs.iter().map(|run| run["name"].as_str().unwrap().to_string()).collect();
        assert!(summary.contains(&named[winner]), "{options}: {summary}");
        (named, report["node_correctness"].as_f64().unwrap())
    };
    let (runs, right) = names("");
    assert!(runs[0] == "walks" && runs.len() <= 8, "{runs:?}");
    assert!(right > 0.9, "{right}");
    assert_eq!(names("--effort quick").0, ["walks"]);
    assert_eq!(names("--effort quick --start relaxed").0, ["relaxed"]);
    // Below the vertices of a regular graph all trees are alike: they tell nothing, and the run says so.
    assert_eq!(names("--starts 1 --start subtree").0, ["relaxed"]);
    assert_eq!(names("--starts 1 --start walks").0, ["walks"]);
    assert!(names("--starts 2 --start relaxed").0.len() == 2);
    room.done("generate sparse --n 60 --degree 4 --noise 0.1 --output-dir .");
    assert_eq!(names("--effort quick").0, ["subtree"]);
    room.done("generate er --n 30 --rho 0.9 --output-dir .");
    assert_eq!(names("--effort quick").0, ["relaxed"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_one_thread_and_with_two() {
    let room = Room::with(&[]);
    room.done("generate er --n 30 --rho 0.6 --rng-seed 4 --output-dir .");
    let run = |threads: usize, seed: usize| {
        let outputs = "--output m.csv --report r.json --trace t.csv --plot p.png";
        let search = format!("--restarts 3 --rng-seed {seed} --threads {threads}");
        room.done(&format!("match a.edges b.edges --truth truth.csv {search} {outputs}"));
        let report = room.text("r.json");
        let lasting: Vec<_> = report.lines().filter(|line| !line.contains("\"seconds\"")).map(str::to_string).collect();
        // One of the search, and one of each run.
        assert_eq!(lasting.len() + 1 + 4, report.lines().count());
        (room.bytes("m.csv"), lasting, room.bytes("t.csv"), room.bytes("p.png"))
    };
    let first = run(1, 7);
    assert!(first == run(2, 7));
    assert!(first == run(1, 7));
    assert!(first.1 != run(2, 8).1);
}

#[test]
fn graphs_of_unequal_size_keep_their_own_names() {
    let path = "x y\ny z\n";
    let larger = "p q\nq r\nr p\nr s\ns t\nu\n";
    let room = Room::with(&[("a", path), ("b", larger)]);
    let summary = room.done("match a b --output m.csv --report r.json");
    assert!(summary.contains("3 pairs of vertices; 3 of B have no partner"), "{summary}");
    let report = room.json("r.json");
    let sizes = ["n", "n_a", "n_b", "unmatched", "common_edges"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(sizes, [6, 3, 6, 3, 2]);
    let pairs = room.pairs("m.csv");
    assert!(pairs.len() == 3 && pairs[0].starts_with("x,") && pairs[2].starts_with("z,"), "{pairs:?}");

    room.done("match b a --output m.csv --report r.json");
    assert_eq!(room.pairs("m.csv").len(), 3);
    assert_eq!(room.json("r.json")["edge_correctness"], Value::from(2.0 / 5.0));
}

#[test]
fn anchors_layers_similarities_and_starts_decide_between_symmetric_answers() {
    let room = Room::with(&[
        ("a", HEXAGON),
        ("b", HEXAGON),
        ("anchors", "a,b\n0,3\n1,2\n"),
        ("a2", "0 1 3\n3\n"),
        ("b2", "4 5 3\n"),
        ("a3", "0 2 2\n"),
        ("b3", "4 0 2\n"),
        ("similar", "0 2 1\n1 1 1\n"),
        ("odd", "0 7\n"),
    ]);
    let pairs = |options: &str| {
        room.done(&format!("match a b {options} --output m.csv --report r.json --quiet"));
        assert_eq!(room.json("r.json")["edge_correctness"], Value::from(1.0), "{options}");
        room.pairs("m.csv")
    };
    assert_eq!(pairs("--anchors anchors"), ["0,3", "1,2", "2,1", "3,0", "4,5", "5,4"]);
    assert_eq!(room.json("r.json")["anchors"], Value::from(2));
    assert_eq!(pairs("--similarity similar --similarity-weight 0.5"), ["0,2", "1,1", "2,0", "3,5", "4,4", "5,3"]);
    assert_eq!(pairs("--layer a2 b2 --layer a3 b3"), ["0,4", "1,5", "2,0", "3,1", "4,2", "5,3"]);
    room.refused("match a b --layer odd b2", "odd: vertex '7' is no vertex of the first layer of graph A");

    let mut start = vec!["0,0,0,0,0,0".to_string(); 6];
    for (i, row) in start.iter_mut().enumerate() {
        row.replace_range(2 * ((i + 2) % 6)..2 * ((i + 2) % 6) + 1, "1");
    }
    std::fs::write(room.0.path().join("start.csv"), start.join("\n")).unwrap();
    assert_eq!(pairs("--method faq --start start.csv"), ["0,2", "1,3", "2,4", "3,5", "4,0", "5,1"]);
}

#[test]
fn every_method_and_penalty_runs_from_the_command_line() {
    let room = Room::with(&[]);
    room.done("generate er --n 10 --rho 0.9 --output-dir .");
    for method in birkhoff::recovery::Method::ALL {
        for penalty in ["l1-minus-l2", "frobenius", "entropy"] {
            room.done(&format!(
                "match a.edges b.edges --method {method} --penalty {penalty} --report r.json --trace t.csv"
            ));
            let report = room.json("r.json");
            assert_eq!((&report["method"], &report["penalty_name"]), (&method.name().into(), &penalty.into()));
            assert!(room.text("t.csv").starts_with("iteration,stage,weight,value,penalty,gap,step_size,lap_calls\n"));
        }
    }
}

#[test]
fn what_one_method_finds_no_method_proves_impossible() {
    let room = Room::with(&[]);
    for seed in 1..4 {
        room.done(&format!("generate er --n 20 --rho 0.7 --rng-seed {seed} --output-dir ."));
        let reports = birkhoff::recovery::Method::ALL.map(|method| {
            room.done(&format!("match a.edges b.edges --method {method} --report r.json"));
            room.json("r.json")
        });
        let best = reports.iter().map(|report| report["value"].as_f64().unwrap()).fold(f64::INFINITY, f64::min);
        for report in reports {
            let bound = report["lower_bound"].as_f64().unwrap();
            assert!(bound <= best, "{}: bound {bound}, but {best} was found", report["method"]);
        }
    }
}

#[test]
fn directed_graphs_count_arcs_and_formats_may_differ() {
    let room = Room::with(&[
        ("a.edges", "0 1\n1 2\n2 0\n0 3\n"),
        ("b.mtx", "%%MatrixMarket matrix coordinate pattern general\n4 4 4\n1 2\n2 3\n3 1\n1 4\n"),
    ]);
    room.refused("match a.edges b.mtx", "b.mtx: ");
    room.done("match a.edges b.mtx --directed --report r.json --output m.csv");
    let report = room.json("r.json");
    assert_eq!((&report["edges_a"], &report["value"]), (&Value::from(4), &Value::from(0.0)));
    assert_eq!(room.pairs("m.csv"), ["0,1", "1,2", "2,3", "3,4"]);
}

#[test]
fn standard_input_and_output_take_part_in_pipes() {
    let room = Room::with_regular_graphs();
    let mut command = room.command("match - b.edges --output -");
    let output = command.write_stdin(TRIANGLES).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("a,b\n") && text.lines().count() == 7, "{text}");
    let mut command = room.command("match - b.edges");
    let output = command.write_stdin("0 1 2 3\n").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: <stdin>:1: 4 fields"));
    let output = room.command("match - b.edges --format graphml --quiet").write_stdin("0,1\n1,0\n").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "the format holds for both");
    assert!(room.done("match a.edges b.edges --quiet").is_empty());
}

#[test]
fn a_time_limit_returns_an_answer() {
    let room = Room::with(&[]);
    room.done("generate er --n 150 --rho 0.5 --output-dir .");
    let began = std::time::Instant::now();
    room.done("match a.edges b.edges --time-limit 0.3 --restarts 1000 --output m.csv --report r.json --plot p.svg");
    assert!(began.elapsed().as_secs_f64() < 10.0);
    assert_eq!(room.pairs("m.csv").len(), 150);
    assert_eq!(room.json("r.json")["termination"], Value::from("time-limit"));
    room.done("match a.edges b.edges --time-limit 1e-9 --output m.csv --report r.json --trace t.csv --plot p.png");
    assert_eq!(room.pairs("m.csv").len(), 150);
}

#[cfg(unix)]
#[test]
fn an_interrupt_writes_the_best_so_far() {
    let room = Room::with(&[]);
    room.done("generate er --n 100 --rho 0.5 --output-dir .");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_graph_matching"));
    command.args("match a.edges b.edges --restarts 100000 --output m.csv --report r.json".split(' '));
    let mut child = command
        .current_dir(room.0.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert!(child.wait().unwrap().success());
    assert_eq!(room.pairs("m.csv").len(), 100);
    assert_eq!(room.json("r.json")["termination"], Value::from("interrupt"));
}

#[test]
fn a_qap_reports_its_gap_to_the_best_known_value() {
    let room = Room::with(&[
        ("p.dat", QAP),
        ("s.sln", "3 218\n1 2 3\n"),
        ("wrong.sln", "3 200\n1 2 3\n"),
        ("anchors", "1 2\n"),
    ]);
    let summary = room.done("qap p.dat --solution s.sln --output m.csv --report r.json --trace t.csv --plot p.svg");
    assert!(
        summary.contains("n = 3") && summary.contains("best known    218: this answer is 0.000 % above it"),
        "{summary}"
    );
    let report = room.json("r.json");
    let a = [[0.0, 5.0, 2.0], [5.0, 0.0, 3.0], [2.0, 3.0, 0.0]];
    let b = [[0.0, 8.0, 15.0], [8.0, 0.0, 13.0], [15.0, 13.0, 0.0]];
    let image: Vec<usize> =
        room.pairs("m.csv").iter().map(|pair| pair.split(',').nth(1).unwrap().parse::<usize>().unwrap() - 1).collect();
    let sum: f64 = (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).map(|(i, j)| a[i][j] * b[image[i]][image[j]]).sum();
    assert_eq!(report["value"], Value::from(sum));
    assert_eq!(report["best_known"], Value::from(218.0));
    assert_eq!(report["gap_percent"], Value::from(0.0));
    assert_eq!((&report["lower_bound"], &report["proved_optimal"]), (&Value::from(218.0), &Value::from(true)));
    let summary = room.done("qap p.dat --solution wrong.sln --report r.json");
    assert!(summary.contains("does not have the value that the file states"), "{summary}");
    assert_eq!(room.json("r.json")["gap_percent"], Value::from(9.0));
    room.done("qap p.dat --anchors anchors --output m.csv --restarts 2 --threads 2 --quiet");
    assert_eq!(room.pairs("m.csv")[0], "1,2");
}

#[test]
fn generated_pairs_can_be_matched_and_depend_on_the_seed_only() {
    let room = Room::with(&[("g.graphml", GRAPHML), ("g.edges", "anna bert\nbert carl\ncarl dora\n")]);
    for (model, a, b) in [
        ("er --n 12 --p 0.4 --rho 0.8", "a.edges", "b.edges"),
        ("sparse --n 20 --degree 3 --noise 0.2", "a.edges", "b.edges"),
        ("gaussian --n 8 --rho -0.5", "a.csv", "b.csv"),
        ("power-law --n 40 --degree 3 --removed 0.1", "a.edges", "b.edges"),
        ("power-law --n 40 --least-degree 2 --exponent 3 --removed 0.1", "a.edges", "b.edges"),
        ("mesh --side 5 --removed 0.1", "a.edges", "b.edges"),
        ("copy g.edges --removed 0.3 --added 0.4", "a.edges", "b.edges"),
        ("copy g.graphml", "a.graphml", "b.graphml"),
    ] {
        let pair = |folder: &str, seed: usize| {
            room.done(&format!("generate {model} --rng-seed {seed} --output-dir {folder}"));
            [a, b, "truth.csv"].map(|name| room.bytes(&format!("{folder}/{name}")))
        };
        let first = pair("one/pair", 1);
        assert!(first == pair("two", 1), "{model}");
        assert!(first != pair("two", 2), "{model}");
        room.done(&format!("match one/pair/{a} one/pair/{b} --truth one/pair/truth.csv"));
    }
    assert!(room.text("one/pair/truth.csv").contains("n0,"));
}

#[test]
fn a_connectome_is_written_as_tables_with_a_start_and_can_be_matched() {
    let room = Room::with(&[]);
    let options = "--n 400 --density-a 0.03 --density-b 0.015";
    let said = room.done(&format!("generate connectome {options} --output-dir one"));
    assert!(said.contains("one/start.csv\nof B's weight, the truth keeps 0."), "{said}");
    room.done(&format!("generate connectome {options} --output-dir two"));
    let files = ["a.csv", "b.csv", "truth.csv", "start.csv"];
    assert!(files.iter().all(|name| room.bytes(&format!("one/{name}")) == room.bytes(&format!("two/{name}"))));
    let (a, truth) = (room.text("one/a.csv"), room.text("one/truth.csv"));
    assert!(a.starts_with("From,To,Weight\nm0,m") && a.lines().count() == 1 + 4800, "{}", &a[..40]);
    assert!(truth.starts_with("a,b\nm0,f") && truth.lines().count() == 401);
    let [right, wrong] = [true, false].map(|is_right| {
        let pairs = room.pairs("one/start.csv");
        pairs.iter().filter(|pair| room.pairs("one/truth.csv").contains(pair) == is_right).count()
    });
    assert!(right > 200 && wrong > 20, "{right} {wrong}");
    room.done("match one/a.csv one/b.csv --directed --effort quick --truth one/truth.csv --report report.json");
    assert_eq!(room.json("report.json")["edges_a"], Value::from(4800));
}

#[test]
fn connectomes_are_read_in_the_forms_in_which_they_are_given_out() {
    // Three neurons in a ring of different weights; one arc of A is none of B.
    let of_a = [("m10", "m2", "7"), ("m2", "m3", "1"), ("m3", "m10", "40"), ("m2", "m10", "3")];
    let of_b = [("f5", "f61", "7"), ("f61", "f7", "1"), ("f7", "f5", "40")];
    type Arc = (&'static str, &'static str, &'static str);
    // The marks around names and around weights; those of the header are those of the names.
    let table = |arcs: &[Arc], [mark, of_weight]: [&str; 2], [from, to, weight]: [&str; 3], end: &str| {
        let head = format!("{mark}{from}{mark},{mark}{to}{mark},{mark}{weight}{mark}{end}");
        let row = |(u, v, w): &Arc| format!("{mark}{u}{mark},{mark}{v}{mark},{of_weight}{w}{of_weight}{end}");
        head + &arcs.iter().map(row).collect::<String>()
    };
    for head in [["From", "To", "Weight"], ["From Node ID", "To Node ID", "Edge Weight"]] {
        for marks in [["", ""], ["\"", ""], ["\"", "\""]] {
            for end in ["\n", "\r\n"] {
                let files = [table(&of_a, marks, head, end), table(&of_b, marks, head, end)];
                let start = format!("Male Node ID,Female Node ID{end}m10,f5{end}m2,f61{end}m3,f7{end}");
                let room = Room::with(&[("a.csv", &files[0]), ("b.csv", &files[1]), ("truth.csv", &start)]);
                let said = room.done("match a.csv b.csv --directed --truth truth.csv --report r.json --output m.csv");
                assert!(said.contains("a table with the ends in columns"), "{said}");
                assert!(said.contains(&format!("weights in '{}'", head[2])), "{said}");
                let report = room.json("r.json");
                assert_eq!((&report["value"], &report["node_correctness"]), (&Value::from(9.0), &Value::from(1.0)));
                assert_eq!(room.pairs("m.csv"), ["m10,f5", "m2,f61", "m3,f7"], "{}", files[0]);
            }
        }
    }
}

#[test]
fn a_law_is_drawn_by_its_mean_or_by_its_least_degree() {
    let room = Room::with(&[]);
    let said = room.done("generate power-law --n 2000 --degree 6 --removed 0.05 --output-dir mean");
    assert!(said.starts_with("A: 2000 vertices, 6000 edges; B: 5"), "{said}");
    assert_eq!(room.json("mean/manifest.json")["model"]["exponent"], Value::from(2.5));
    room.done("generate power-law --n 2000 --least-degree 3 --output-dir least");
    let said = room.done("generate mesh --side 30 --output-dir mesh");
    assert!(said.starts_with("A: 900 vertices, 2581 edges; B: 2581 edges"), "{said}");
    // One of the two, not both and not none.
    for options in ["--n 50", "--n 50 --degree 3 --least-degree 2"] {
        let output = room.run(&format!("generate power-law {options} --output-dir none"));
        assert_eq!(output.status.code(), Some(2), "{options}");
    }
    room.refused("generate power-law --n 50 --degree 40 --output-dir none", "degree: is 40");
    room.refused("generate mesh --side 0 --output-dir none", "side: is 0");
    room.refused("generate mesh --side 10000000 --output-dir none", "side: the graphs need ");
}

const GRAPHML: &str = r#"<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected">
<node id="n0"/><node id="n1"/><node id="n2"/><edge source="n0" target="n1"/><edge source="n1" target="n2"/>
</graph></graphml>
"#;

#[test]
fn real_graphs_and_problems_are_matched_where_they_are_at_hand() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let (pair, qap) = (data.join("pairs/highschool-80"), data.join("qaplib/chr12a"));
    if !pair.exists() || !qap.with_extension("dat").exists() {
        eprintln!("skipped: no ../shared/data");
        return;
    }
    let room = Room::with(&[]);
    let file = |name: &str| pair.join(name).display().to_string();
    let (a, b, truth) = (file("a.edges"), file("b.edges"), file("truth.txt"));
    room.done(&format!("match {a} {b} --truth {truth} --report r.json --method relaxation-faq"));
    assert!(room.json("r.json")["node_correctness"].as_f64().unwrap() > 0.95);
    let qap = qap.display();
    let summary = room.done(&format!("qap {qap}.dat --solution {qap}.sln --restarts 4 --report r.json"));
    assert!(!summary.contains("does not have the value"), "{summary}");
    assert_eq!(room.json("r.json")["best_known"], Value::from(9552.0));
    assert!(room.json("r.json")["gap_percent"].as_f64().unwrap() >= 0.0);
}

#[test]
fn help_shows_examples_and_every_command() {
    let room = Room::with(&[]);
    let help = room.done("--help");
    for word in ["match", "qap", "generate", "experiment", "Examples:", "Exit codes"] {
        assert!(help.contains(word), "{word}");
    }
    for command in ["match", "qap", "generate", "experiment"] {
        let help = room.done(&format!("{command} --help"));
        assert!(help.contains("Examples:"), "{command}");
    }
    assert!(room.done("--version").contains(env!("CARGO_PKG_VERSION")));
}
