//! What a run may write over, from the command line: its own and what a complete run left, nothing else.

use assert_cmd::Command;
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// A run of two steps an epoch.
const TINY: [&str; 15] = [
    "--train-images",
    "32",
    "--test-images",
    "20",
    "--batch-size",
    "16",
    "--epochs",
    "2",
    "--threads",
    "1",
    "--test-every",
    "0",
    "--model",
    "v1",
    "--quiet",
];

fn program(command: &str, arguments: &[&str]) -> Command {
    let mut program = Command::cargo_bin("autoshufflenet").unwrap();
    // As the program wants them: it would start again to set them.
    program.envs([
        ("OMP_WAIT_POLICY", "passive"),
        ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
        ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
    ]);
    program.arg(command).args(arguments);
    program
}

fn train(folder: &Path, more: &[&str]) -> Command {
    let mut program = program("train", &TINY);
    program.args(more).arg("--output-dir").arg(folder);
    program
}

fn resume(folder: &Path, more: &[&str]) -> Command {
    let mut program = program("train", &["--quiet", "--resume"]);
    program.arg(folder).args(more);
    program
}

/// The one line on standard error.
fn refused(command: &mut Command) -> String {
    let message = String::from_utf8(command.assert().code(2).get_output().stderr.clone()).unwrap();
    assert!(message.starts_with("error: ") && message.lines().count() == 1, "{message}");
    message
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn model(run: &Path) -> Vec<u8> {
    fs::read(run.join("model.safetensors")).unwrap()
}

#[test]
fn the_checkpoint_goes_only_when_the_manifest_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, run] = ["whole", "run"].map(|name| folder.path().join(name));
    train(&whole, &[]).assert().success();
    train(&run, &["--stop-after-epochs", "1"]).assert().success();
    // The manifest cannot be written, as if the program ended there.
    fs::create_dir(run.join("manifest.json")).unwrap();
    assert!(refused(&mut resume(&run, &[])).contains("manifest.json"));
    assert!(run.join("checkpoint.safetensors").exists(), "neither complete nor to be resumed");
    fs::remove_dir(run.join("manifest.json")).unwrap();
    // Killed between the two: both are there.
    let checkpoint = fs::read(run.join("checkpoint.safetensors")).unwrap();
    resume(&run, &[]).assert().success();
    assert!(model(&run) == model(&whole) && !run.join("checkpoint.safetensors").exists());
    fs::write(run.join("checkpoint.safetensors"), checkpoint).unwrap();
    resume(&run, &[]).assert().success();
    assert_eq!(names(&run), names(&whole));
    for name in ["epochs.csv", "model.safetensors", "permutations.csv", "result.json"] {
        assert!(fs::read(run.join(name)).unwrap() == fs::read(whole.join(name)).unwrap(), "{name}");
    }
    assert!(refused(&mut resume(&run, &[])).contains("complete"));
}

#[test]
fn a_file_that_no_run_left_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    fs::create_dir(&project).unwrap();
    for name in ["model.safetensors", "config.toml", "result.json", "manifest.json", "epochs.csv"] {
        let path = project.join(name);
        fs::write(&path, "{\"files\": {}}").unwrap();
        assert!(refused(&mut train(&project, &[])).contains(name));
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"files\": {}}");
        assert_eq!(names(&project), [name]);
        fs::remove_file(path).unwrap();
    }
    // What has none of a run's names is none of its business.
    fs::write(project.join("notes.txt"), "mine").unwrap();
    train(&project, &["--trace-matrix", "stage2.0"]).assert().success();
    // A complete run is replaced, its traced matrix with it; not when one of its files has been changed.
    let first = model(&project);
    let epochs = fs::read(project.join("epochs.csv")).unwrap();
    fs::write(project.join("epochs.csv"), "changed").unwrap();
    assert!(refused(&mut train(&project, &[])).contains("epochs.csv"));
    assert!(model(&project) == first);
    fs::write(project.join("epochs.csv"), epochs).unwrap();
    train(&project, &["--rng-seed", "2"]).assert().success();
    assert!(model(&project) != first && !project.join("matrices.csv").exists());
    assert_eq!(fs::read_to_string(project.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn a_run_that_has_learned_nothing_yet_may_be_begun_anew_and_one_that_has_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let message = refused(&mut train(&run, &["--learning-rate", "1e6", "--train-images", "96"]));
    assert!(message.contains("not finite") && message.contains("holds the run as it was after 0 epochs"), "{message}");
    assert!(run.join("checkpoint.safetensors").exists() && run.join("config.toml").exists());
    // What a killed process leaves behind.
    fs::write(run.join(".birkhoff-abc123.tmp"), "half a checkpoint").unwrap();
    train(&run, &["--stop-after-epochs", "1"]).assert().success();
    assert!(!run.join(".birkhoff-abc123.tmp").exists());
    assert!(refused(&mut train(&run, &[])).contains("unfinished run"));
    let checkpoint = run.join("checkpoint.safetensors");
    let mut bytes = fs::read(&checkpoint).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&checkpoint, &bytes).unwrap();
    let message = refused(&mut resume(&run, &[]));
    assert!(message.contains("checkpoint.safetensors: is not as it was written"), "{message}");
    assert!(refused(&mut train(&run, &[])).contains("unfinished run"));
    assert!(fs::read(&checkpoint).unwrap() == bytes);
}

#[test]
fn a_run_goes_on_in_another_folder_and_with_what_changes_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, run, there] = ["whole", "run", "there"].map(|name| folder.path().join(name));
    train(&whole, &[]).assert().success();
    train(&run, &["--stop-after-epochs", "1"]).assert().success();
    let place = there.to_str().unwrap();
    let anew = ["--output-dir", place, "--data-dir", "elsewhere", "--workers", "1", "--device", "cpu", "--epochs", "2"];
    resume(&run, &anew).assert().success();
    assert!(model(&there) == model(&whole) && names(&there) == names(&whole));
    assert!(run.join("checkpoint.safetensors").exists() && !run.join("model.safetensors").exists());

    let message = refused(&mut resume(&run, &["--epochs", "3"]));
    assert!(message.contains("--epochs 3 would change the result, for the run has 2"), "{message}");
    let config = folder.path().join("c.toml");
    fs::write(&config, "batch_size = 8\n").unwrap();
    let message = refused(&mut resume(&run, &["--config", config.to_str().unwrap()]));
    assert!(message.contains("--batch-size 8 would change the result"), "{message}");
    // Threads change the last digits, which is said.
    let assert = resume(&run, &["--threads", "2"]).assert().success();
    let note = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(note.contains("2 threads") && note.contains("last digits"), "{note}");
    assert!(names(&run) == names(&whole));
}

#[test]
fn two_processes_do_not_train_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut first = std::process::Command::new(assert_cmd::cargo::cargo_bin("autoshufflenet"))
        .args(["train", "--quiet", "--threads", "1", "--epochs", "1000", "--output-dir"])
        .arg(&run)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !run.join("config.toml").exists() {
        assert!(first.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let message = refused(&mut resume(&run, &[]));
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(message.contains("another process trains in this folder"), "{message}");
    resume(&run, &["--stop-after-epochs", "0"]).assert().success();
}

#[test]
fn exports_and_tables_replace_no_run_and_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    train(&run, &["--stop-after-epochs", "1"]).assert().success();
    let checkpoint = run.join("checkpoint.safetensors");
    let before = fs::read(&checkpoint).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_string();
    assert!(refused(&mut program("export", &[&path(&run), &path(&checkpoint)])).contains("belongs to a run"));
    assert!(fs::read(&checkpoint).unwrap() == before);
    // The images are not needed to export an unfinished run.
    let exported = folder.path().join("network.safetensors");
    program("export", &[&path(&run), &path(&exported)]).assert().success();
    let spelled = folder.path().join("run/../network.safetensors");
    assert!(refused(&mut program("export", &[&path(&exported), &path(&spelled), "--fold"])).contains("is the input"));
    resume(&run, &[]).assert().success();
    let trained = model(&run);
    let target = path(&run.join("model.safetensors"));
    assert!(refused(&mut program("export", &[&path(&exported), &target])).contains("belongs to a run"));
    assert!(refused(&mut program("bench", &["--output", &target])).contains("belongs to a run"));
    assert!(model(&run) == trained);
    let nowhere = path(&folder.path().join("nowhere/network.safetensors"));
    assert!(refused(&mut program("export", &[&path(&run), &nowhere])).contains("nowhere"));
}

#[test]
fn a_comparison_counts_no_run_twice_and_replaces_no_table_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let compare = |more: &[&str]| {
        let mut program = program("compare", &TINY);
        program.args(["--output-dir", folder.path().to_str().unwrap()]).args(more);
        program
    };
    assert!(refused(&mut compare(&["--seeds", "1,2,1"])).contains("seeds: 1 is given twice"));
    assert!(refused(&mut compare(&["--kinds", "none,none"])).contains("kinds: none is given twice"));
    let table = folder.path().join("summary.csv");
    fs::write(&table, "name,age\n").unwrap();
    let one = ["--kinds", "none", "--seeds", "1"];
    assert!(refused(&mut compare(&one)).contains("summary.csv"));
    assert_eq!(names(folder.path()), ["summary.csv"]);
    fs::remove_file(&table).unwrap();
    compare(&one).assert().success();
    // What does not change the result does not make it another comparison; what does, does.
    compare(&[&one[..], &["--data-dir", "elsewhere", "--workers", "1"]].concat()).assert().success();
    let message = refused(&mut compare(&[&one[..], &["--learning-rate", "0.2"]].concat()));
    assert!(message.contains("learning_rate = 0.1, not 0.2"), "{message}");
    // A run that was begun anew over a complete one with other settings is not taken for complete.
    let run = folder.path().join("none-1");
    fs::write(run.join("result.json"), "{}").unwrap();
    assert!(refused(&mut compare(&one)).contains("result.json: is not the file that the run's manifest lists"));
}

#[test]
fn nobody_has_to_read_what_is_said() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("autoshufflenet"))
        .arg("count")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
