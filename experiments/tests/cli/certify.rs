//! `graph_matching certify`.

use super::room::Room;

#[test]
fn a_matrix_is_certified_by_the_theorem_that_applies() {
    let room = Room::with(&[
        ("t2.csv", "0.9,0.1,0\n0.1,0.9,0\n0,0,1\n"),
        ("t3.csv", "0.02,0.97\n0.95,0.02\n"),
        ("half.csv", "0.5,0.5\n0.5,0.5\n"),
    ]);
    let text = room.done("certify t2.csv --output p.csv --report r.json");
    assert!(text.contains("unique, proved by T2") && text.contains("permutation   0 1 2"), "{text}");
    assert_eq!(room.pairs("p.csv"), ["0,0", "1,1", "2,2"]);
    let report = room.json("r.json");
    assert_eq!((&report["n"], &report["rounding_is_unique"]), (&3.into(), &true.into()));
    let (low, high) = (&report["certificate"]["distance_at_least"], &report["certificate"]["distance_at_most"]);
    assert!(low.as_f64().unwrap() <= 0.4 && high.as_f64().unwrap() >= 0.4, "the distance is 0.4");

    let text = room.done("certify t3.csv");
    assert!(text.contains("unique, proved by T3") && text.contains("permutation   1 0"), "{text}");
    let text = room.done("certify half.csv");
    assert!(text.contains("not certified") && text.contains("between 1.171573 and 2.000000"), "{text}");
    assert!(room.done("certify t2.csv --output - --quiet").starts_with("a,b\n0,0\n"));
}

#[test]
fn what_is_no_matrix_to_certify_is_refused_with_its_shape() {
    let room = Room::with(&[
        ("tall.csv", "1,0\n0,1\n1,1\n"),
        ("negative.csv", "1.5,-0.5\n-0.5,1.5\n"),
        ("nan.csv", "1,nan\n0,1\n"),
        ("ragged.csv", "1,0\n0\n"),
        ("x.npy", "not an array"),
        ("x.safetensors", "not tensors"),
        ("good.csv", "1,0\n0,1\n"),
    ]);
    for (arguments, message) in [
        ("tall.csv", "tall.csv: matrix to certify: expected a square matrix, got 3 x 2"),
        ("negative.csv", "negative.csv: entry (1, 0) of the 2 x 2 matrix is -0.5"),
        ("nan.csv", "nan.csv:1: column 2: 'nan' is not finite"),
        ("ragged.csv", "ragged.csv:2: 1 fields, but line 1 has 2"),
        ("x.npy", "x.npy: not a .npy file"),
        ("x.safetensors", "x.safetensors: not a .safetensors file"),
        ("nowhere.csv", "nowhere.csv: No such file"),
        ("good.csv --output good.csv", "good.csv: is an input"),
        ("good.csv --report nowhere/r.json", "nowhere/r.json: "),
    ] {
        room.refused(&format!("certify {arguments}"), message);
    }
}
