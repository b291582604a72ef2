//! Runs from the command line: resume, rounding, files, refusals; and a short run on real images.

use assert_cmd::Command;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn program() -> Command {
    let mut command = Command::cargo_bin("autoshufflenet").unwrap();
    // The program would start again to set them.
    command.envs([
        ("OMP_WAIT_POLICY", "passive"),
        ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
        ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
    ]);
    command
}

/// A run of few and small batches.
const SMALL: [&str; 15] = [
    "train",
    "--train-images",
    "128",
    "--test-images",
    "100",
    "--batch-size",
    "32",
    "--epochs",
    "4",
    "--test-every",
    "0",
    "--threads",
    "1",
    "--trace-matrix",
    "stage2.0",
];

fn train(folder: &Path, more: &[&str]) -> String {
    let output = program().args(SMALL).args(more).arg("--output-dir").arg(folder).assert().success();
    String::from_utf8(output.get_output().stdout.clone()).unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let traced = folder.join("matrices.csv").exists().then_some("matrices.csv");
    let wanted = ["epochs.csv", "model.safetensors", "permutations.csv", "result.json"];
    wanted.iter().chain(&traced).map(|name| (name.to_string(), std::fs::read(folder.join(name)).unwrap())).collect()
}

/// Shares of the channels that are not where the manual shuffle, and where the run's own start, puts them.
fn off(run: &Path) -> [f64; 2] {
    let result = std::fs::read_to_string(run.join("result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_str(&result).unwrap();
    ["off_manual", "off_start"].map(|key| result[key].as_f64().unwrap())
}

#[test]
fn two_and_two_epochs_are_four_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let said = train(&whole, &[]);
    assert!(said.contains("before rounding") && said.contains("after"), "{said}");
    train(&parts, &["--stop-after-epochs", "2"]);
    assert!(parts.join("checkpoint.safetensors").exists() && !parts.join("model.safetensors").exists());
    let unfinished = program().args(SMALL).arg("--output-dir").arg(&parts).assert().code(2);
    assert!(String::from_utf8_lossy(&unfinished.get_output().stderr).contains("unfinished run"));
    program().args(["train", "--resume"]).arg(&parts).assert().success();
    assert!(files(&whole) == files(&parts) && whole.join("matrices.csv").exists());
    assert!(!whole.join("checkpoint.safetensors").exists());
    let manifest = std::fs::read_to_string(whole.join("manifest.json")).unwrap();
    let place = folder.path().to_str().unwrap();
    assert!(manifest.contains("\"--output-dir\"") && !manifest.contains(place), "{manifest}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_saved_within_its_epoch_and_ends_as_if_it_had_not_been() {
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let long = ["--epochs", "2", "--train-images", "640"];
    let arguments = [&SMALL[..], &long[..]].concat();
    program().args(&arguments).arg("--output-dir").arg(&whole).assert().success();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("autoshufflenet"))
        .args(&arguments)
        .arg("--output-dir")
        .arg(&parts)
        .env("OMP_WAIT_POLICY", "passive")
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // The configuration is written just before the first step.
    while !parts.join("config.toml").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "saved and left");
    program().args(["train", "--resume"]).arg(&parts).assert().success();
    assert!(files(&whole) == files(&parts));
}

#[test]
fn every_kind_trains_to_bijections_and_exports_what_eval_reads() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, model) in [("auto", "v1"), ("relaxed", "v2"), ("random", "v2"), ("none", "v1"), ("manual", "v2")] {
        let run = folder.path().join(kind);
        let said = train(&run, &["--shuffle", kind, "--model", model, "--epochs", "1"]);
        let mut channels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in csv::Reader::from_path(run.join("permutations.csv")).unwrap().deserialize() {
            let (shuffle, _, input): (String, usize, usize) = row.unwrap();
            channels.entry(shuffle).or_default().push(input);
        }
        assert_eq!(channels.len(), 16);
        let [off_manual, off_start] = off(&run);
        match kind {
            "manual" => assert_eq!([off_manual, off_start], [0.0; 2]),
            "random" | "none" => assert!(off_manual > 0.9 && off_start == 0.0, "{kind}: {off_manual} {off_start}"),
            _ => assert!((0.0..=1.0).contains(&off_manual) && (0.0..=1.0).contains(&off_start)),
        }
        for image in channels.values_mut() {
            image.sort();
            assert!(image.iter().copied().eq(0..image.len()));
        }
        let folded = folder.path().join("folded.safetensors");
        program().arg("export").args([&run, &folded]).arg("--fold").assert().success();
        let scores = [run.join("model.safetensors"), folded].map(|weights| {
            let output =
                program().arg("eval").arg(weights).args(["--threads", "1", "--test-images", "100"]).assert().success();
            String::from_utf8(output.get_output().stdout.clone()).unwrap()
        });
        let numbers = scores.each_ref().map(|score| {
            let (accuracy, loss) = score.strip_prefix("test accuracy ").unwrap().split_once(" %, loss ").unwrap();
            (accuracy.to_string(), loss.split(' ').next().unwrap().parse::<f64>().unwrap())
        });
        let [(after, loss), (folded, folded_loss)] = &numbers;
        assert_eq!(after, folded);
        // Folding adds up the same products in another order, in single precision.
        assert!((loss - folded_loss).abs() <= 1e-5 * loss, "{scores:?}");
        assert!(said.contains(after), "{said} {after}");
    }
}

#[test]
fn settings_are_read_from_a_file_and_flags_win() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c.toml");
    let refused = |text: &str, flags: &[&str]| {
        std::fs::write(&config, text).unwrap();
        let assert = program().args(["train", "--config"]).arg(&config).args(flags).assert().code(2);
        let message = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    };
    assert!(refused("epochs = 1\nlerning_rate = 1.0\n", &[]).contains("c.toml:2: unknown field `lerning_rate`"));
    assert!(refused("epochs = \"many\"", &[]).contains("c.toml:1: "));
    assert!(refused("width = 0.7", &[]).contains("width"));
    assert!(refused("epochs = 3", &["--epochs", "0"]).contains("epochs"));
    assert!(refused("data = \"cifar10\"", &[]).contains("data_dir"));
    assert!(refused("batch_size = 4000", &[]).contains("batch_size"));
    assert!(refused("train_images = 100000", &[]).contains("train_images"));
    assert!(refused("trace_matrix = \"stage9.0\"", &[]).contains("stage9.0, but stage2.0"));
    assert!(refused("device = \"cuda\"", &[]).contains("CUDA"));

    std::fs::write(&config, "epochs = 9\nshuffle = \"none\"\nchannels_last = true\n").unwrap();
    let run = folder.path().join("run");
    train(&run, &["--epochs", "1", "--channels-last=false", "--config", config.to_str().unwrap()]);
    let written = std::fs::read_to_string(run.join("config.toml")).unwrap();
    for line in ["epochs = 1\n", "shuffle = \"none\"\n", "channels_last = false\n"] {
        assert!(written.contains(line), "{written}");
    }
}

#[test]
fn a_comparison_is_paired_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let compare = || {
        let mut command = program();
        command.args(["compare", "--kinds", "manual,none", "--seeds", "1,2", "--quiet"]);
        let assert = command
            .args(&SMALL[1..])
            .args(["--epochs", "1", "--output-dir"])
            .arg(folder.path().join("runs"))
            .assert()
            .success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    let first = compare();
    let table = |name: &str| std::fs::read_to_string(folder.path().join("runs").join(name)).unwrap();
    assert_eq!(table("comparison.csv").lines().count(), 5);
    assert_eq!(table("summary.csv").lines().count(), 3);
    let model = folder.path().join("runs/none-2/model.safetensors");
    let made = std::fs::metadata(&model).unwrap().modified().unwrap();
    assert_eq!(compare(), first);
    assert_eq!(std::fs::metadata(&model).unwrap().modified().unwrap(), made, "what is done is not done again");
}

#[test]
fn folders_of_images_are_streamed_and_corrupt_ones_are_named_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for part in ["train", "val"] {
        for (class, colour) in [("cat", 60), ("dog", 200)] {
            let place = data.join(part).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for index in 0..12u8 {
                let pixel = |x, y| image::Rgb([colour + (x % 7) as u8, (y * 3) as u8, index * 8]);
                let extension = if index % 2 == 0 { "png" } else { "JPEG" };
                image::RgbImage::from_fn(50 + u32::from(index), 40, pixel)
                    .save(place.join(format!("{index}.{extension}")))
                    .unwrap();
            }
        }
    }
    std::fs::write(data.join("train/cat/bad.jpg"), b"\xff\xd8\xff no picture").unwrap();
    let png = std::fs::read(data.join("train/dog/0.png")).unwrap();
    std::fs::write(data.join("val/dog/cut.png"), &png[..png.len() / 2]).unwrap();
    std::fs::write(data.join("train/dog/notes.txt"), "not an image").unwrap();
    let run = folder.path().join("run");
    let arguments = [
        "train",
        "--data",
        "folder",
        "--image-size",
        "32",
        "--batch-size",
        "5",
        "--epochs",
        "2",
        "--threads",
        "1",
        "--data-dir",
    ];
    let assert = program().args(arguments).arg(&data).arg("--output-dir").arg(&run).assert().success();
    let message = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(message.contains("2 images could not be read") && message.contains("bad.jpg"), "{message}");
    let result = std::fs::read_to_string(run.join("result.json")).unwrap();
    assert!(result.contains("\"images\": 24") && result.contains("unreadable_images"), "{result}");

    // The order does not depend on the number of workers.
    let other = folder.path().join("other");
    program().args(arguments).arg(&data).args(["--workers", "3", "--output-dir"]).arg(&other).assert().success();
    assert!(files(&run)["model.safetensors"] == files(&other)["model.safetensors"]);

    std::fs::create_dir_all(data.join("val/horse")).unwrap();
    let assert =
        program().args(arguments).arg(&data).arg("--output-dir").arg(folder.path().join("third")).assert().code(2);
    assert!(String::from_utf8_lossy(&assert.get_output().stderr).contains("horse"));
}

/// The folder with CIFAR-10's binary files: BIRKHOFF_CIFAR, which scripts/test sets where it can.
fn cifar() -> Option<PathBuf> {
    let folder = std::env::var_os("BIRKHOFF_CIFAR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: BIRKHOFF_CIFAR is not set to a folder with CIFAR-10's binary files");
    }
    folder
}

#[test]
fn a_short_run_on_real_images_lowers_the_loss_and_ends_certified() {
    let Some(cifar) = cifar() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let small = ["--train-images", "1024", "--epochs", "3", "--batch-size", "32", "--test-images", "500"];
    train(&run, &[&["--data", "cifar10", "--data-dir", cifar.to_str().unwrap()], &small[..]].concat());
    let mut reader = csv::Reader::from_path(run.join("epochs.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let loss = |row: &csv::StringRecord| row[3].parse::<f64>().unwrap();
    assert!(loss(&rows[2]) < loss(&rows[0]) - 0.1, "{rows:?}");
    let certificates: Vec<&str> = header
        .iter()
        .zip(&rows[2])
        .filter(|(name, _)| name.ends_with(".certificate"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(certificates.len(), 16);
    assert!(certificates.iter().all(|&certificate| certificate != "none"), "{certificates:?}");
}
