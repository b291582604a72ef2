//! `two_layer align`.

use super::room::Room;
use birkhoff::io::{Tensor, read_tensor, write_safetensors};

fn tensor(shape: &[usize], values: &[f64]) -> Tensor {
    Tensor { shape: shape.to_vec(), values: values.to_vec() }
}

const W: &str = "1,0\n0,2\n3,1\n";
/// Units 2, 0, 1 of W, the first of them doubled.
const MOVED: &str = "6,2\n1,0\n0,2\n";

#[test]
fn the_units_of_two_networks_are_matched_in_every_format() {
    let room = Room::with(&[
        ("wa.csv", W),
        ("wb.csv", MOVED),
        ("va.csv", "1,-1,2\n0.5,0.5,-2\n"),
        ("vb.csv", "1,1,-1\n-1,0.5,0.5\n"),
        ("x.csv", "1,0.3\n-0.2,1\n0.5,-1\n0.1,0.1\n"),
    ]);
    let arrays = "wa.csv wb.csv --readout va.csv vb.csv";
    let text = room.done(&format!("two_layer: align {arrays} --match m.csv --report r.json --output b.safetensors"));
    assert!(text.contains("3 over 2 inputs, 3 of them moved") && text.contains("unexplained   0.0000"), "{text}");
    assert_eq!(room.pairs("m.csv"), ["0,1", "1,2", "2,0"]);
    assert_eq!(room.json("r.json")["permutation"], serde_json::json!([1, 2, 0]));
    assert!(room.json("r.json")["value"].as_f64().unwrap() < 1e-12);
    let written = room.0.path().join("b.safetensors");
    assert_eq!(read_tensor(&written, Some("weight")).unwrap().values, [1.0, 0.0, 0.0, 2.0, 6.0, 2.0]);
    assert_eq!(read_tensor(&written, Some("readout")).unwrap().values, [1.0, -1.0, 1.0, 0.5, 0.5, -1.0]);
    for option in ["--inputs x.csv", "--covariance s.csv"] {
        std::fs::write(room.0.path().join("s.csv"), "2,0.5\n0.5,1\n").unwrap();
        assert!(room.done(&format!("two_layer: align {arrays} {option} --match -")).ends_with("0,1\n1,2\n2,0\n"));
    }
}

#[test]
fn a_network_in_one_file_is_found_and_written_back_whole() {
    let room = Room::with(&[]);
    let at = |name: &str| room.0.path().join(name);
    let network = |order: [usize; 3]| {
        let (w, b, v) = ([1.0, 0.0, 0.0, 2.0, 3.0, 1.0], [0.1, -0.5, 0.3], [1.0, -1.0, 2.0]);
        let rows: Vec<f64> = order.iter().flat_map(|&i| [w[2 * i], w[2 * i + 1]]).collect();
        vec![
            ("fc1.weight", tensor(&[3, 2], &rows)),
            ("fc1.bias", tensor(&[3], &order.map(|i| b[i]))),
            ("fc2.weight", tensor(&[1, 3], &order.map(|i| v[i]))),
            ("fc2.bias", tensor(&[1], &[0.7])),
        ]
    };
    write_safetensors(&at("a.safetensors"), &network([0, 1, 2])).unwrap();
    write_safetensors(&at("b.safetensors"), &network([2, 0, 1])).unwrap();
    room.done("two_layer: align a.safetensors b.safetensors --output c.safetensors --match m.csv");
    assert_eq!(room.pairs("m.csv"), ["0,1", "1,2", "2,0"]);
    assert_eq!(room.bytes("c.safetensors"), room.bytes("a.safetensors"), "b in a's order is a");
    let named =
        "a.safetensors:fc1.weight b.safetensors:fc1.weight --readout a.safetensors:fc2.weight b.safetensors:fc2.weight";
    room.done(&format!("two_layer: align {named} --match named.csv"));
    assert_eq!(room.pairs("named.csv"), ["0,1", "1,2", "2,0"]);
}

/// conv1 2 -> 3 channels, conv2 3 -> 2 channels, fc 2 x 2 pixels -> 1, its units in these orders.
fn convolutional(first: [usize; 3], second: [usize; 2]) -> Vec<(&'static str, Tensor)> {
    let value = |seed: usize, i: usize, j: usize, k: usize| ((7 * seed + 31 * i + 17 * j + 5 * k) % 23) as f64 - 11.0;
    let kernel = |seed: usize, out: &[usize], inner: &[usize], pixels: usize| {
        let entry = |&i: &usize| inner.iter().flat_map(move |&j| (0..pixels).map(move |k| value(seed, i, j, k)));
        out.iter().flat_map(entry).collect::<Vec<f64>>()
    };
    vec![
        ("conv1.weight", tensor(&[3, 2, 1, 2], &kernel(1, &first, &[0, 1], 2))),
        ("conv1.bias", tensor(&[3], &first.map(|i| i as f64 / 4.0))),
        ("conv2.weight", tensor(&[2, 3, 2, 1], &kernel(2, &second, &first, 2))),
        ("fc.weight", tensor(&[1, 8], &kernel(3, &[0], &second, 4))),
        ("fc.bias", tensor(&[1], &[0.5])),
    ]
}

#[test]
fn layers_of_one_file_are_aligned_one_after_the_other_kernels_flattened() {
    let room = Room::with(&[]);
    let at = |name: &str| room.0.path().join(name);
    write_safetensors(&at("a.safetensors"), &convolutional([0, 1, 2], [0, 1])).unwrap();
    write_safetensors(&at("b.safetensors"), &convolutional([2, 0, 1], [1, 0])).unwrap();
    let readout = "--readout a.safetensors:fc.weight b.safetensors:fc.weight";
    let layers = format!("a.safetensors b.safetensors --layer conv1 --layer conv2.weight {readout}");
    let text = room.done(&format!("two_layer: align {layers} --output c.safetensors --match m.csv --report r.json"));
    assert!(text.contains("layer         conv1\nunits         3 over 4 inputs, 3 of them moved"), "{text}");
    assert!(text.contains("layer         conv2.weight\nunits         2 over 6 inputs, 2 of them moved"), "{text}");
    assert_eq!(room.text("m.csv"), "layer,a,b\nconv1,0,1\nconv1,1,2\nconv1,2,0\nconv2.weight,0,1\nconv2.weight,1,0\n");
    assert_eq!(room.json("r.json")["layers"][1]["permutation"], serde_json::json!([1, 0]));
    assert_eq!(room.bytes("c.safetensors"), room.bytes("a.safetensors"), "b in a's order is a");
    // One of them by itself: its inputs are then in B's order, so nothing has to fit, but it is read.
    room.done("two_layer: align a.safetensors:conv1.weight b.safetensors:conv1.weight --match m.csv");
    assert_eq!(room.pairs("m.csv"), ["0,1", "1,2", "2,0"]);
    let text = room.done("two_layer: align a.safetensors b.safetensors --layer conv1 --output c.safetensors");
    assert!(text.contains("readout       none was given"), "{text}");
    for (arguments, message) in [
        ("a.safetensors b.safetensors --layer conv3", "a.safetensors: has no layer 'conv3'; it has 'conv1.bias' [3], "),
        (
            "a.safetensors b.safetensors --layer conv1 --layer fc",
            "b.safetensors: 'fc' does not follow the layer before it",
        ),
        ("a.safetensors:fc.weight b.safetensors --layer conv1", "a.safetensors: --layer picks the layers of a whole"),
        ("a.safetensors b.safetensors", "a.safetensors: it is not clear which tensor is the hidden layer"),
    ] {
        room.refused(&format!("two_layer: align {arguments}"), message);
    }
}

#[test]
fn a_convolution_and_the_layer_behind_its_pixels_are_found_in_a_file() {
    let room = Room::with(&[]);
    let at = |name: &str| room.0.path().join(name);
    let network = |order: [usize; 2]| {
        let all = convolutional([0, 1, 2], order);
        let kept: Vec<_> =
            all.into_iter().filter(|(name, _)| name.starts_with("conv2") || name.starts_with("fc")).collect();
        kept
    };
    write_safetensors(&at("a.safetensors"), &network([0, 1])).unwrap();
    write_safetensors(&at("b.safetensors"), &network([1, 0])).unwrap();
    room.done("two_layer: align a.safetensors b.safetensors --output c.safetensors");
    assert_eq!(room.bytes("c.safetensors"), room.bytes("a.safetensors"));
}

#[test]
fn networks_that_do_not_fit_are_refused_with_their_shapes() {
    let room = Room::with(&[
        ("w.csv", W),
        ("wide.csv", "1,2,3\n4,5,6\n7,8,9\n"),
        ("ragged.csv", "1,2\n3\n"),
        ("nan.csv", "1,2\n3,nan\n5,6\n"),
        ("v.csv", "1,2,3\n"),
        ("short.csv", "1,2\n"),
    ]);
    write_safetensors(
        &room.0.path().join("square.safetensors"),
        &[("a", tensor(&[2, 2], &[1.0; 4])), ("b", tensor(&[2, 2], &[1.0; 4]))],
    )
    .unwrap();
    for (arguments, message) in [
        ("w.csv wide.csv", "wide.csv: weights of B: expected 3 x 2, got 3 x 3"),
        ("w.csv ragged.csv", "ragged.csv:2: "),
        ("w.csv nan.csv", "nan.csv:2: column 2: 'nan' is not finite"),
        (
            "w.csv w.csv --readout v.csv short.csv",
            "short.csv: axis 1 of the array has to have length 3, or a multiple of it, but its shape is [1, 2]",
        ),
        ("w.csv w.csv --bias short.csv v.csv", "w.csv: bias: expected 3 x 1, got 2 x 1"),
        ("w.csv w.csv --inputs wide.csv", "wide.csv: samples: expected 3 x 2, got 3 x 3"),
        ("w.csv w.csv --covariance wide.csv", "wide.csv: covariance: expected 2 x 2, got 3 x 3"),
        ("w.csv w.csv --output out.csv", "out.csv: the aligned network is written as .safetensors"),
        ("w.csv w.csv --match w.csv", "w.csv: is an input"),
        ("w.csv nowhere.npy", "nowhere.npy: No such file"),
        ("square.safetensors w.csv", "square.safetensors: it is not clear which tensor is the hidden layer"),
        ("square.safetensors:c w.csv", "square.safetensors: has no tensor 'c'; it has 'a' [2, 2], 'b' [2, 2]"),
    ] {
        room.refused(&format!("two_layer: align {arguments}"), message);
    }
}
