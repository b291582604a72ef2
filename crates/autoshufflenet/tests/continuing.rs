//! A run that stops goes on to the same bytes, wherever it was stopped; what would make others of them is refused.

mod pictures;

use autoshufflenet::data::{Data, Source};
use autoshufflenet::settings::Settings;
use autoshufflenet::training::{Checkpoint, Ending, RunFolder, Session, Training, checkpoint_path};
use birkhoff::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch::{Device, no_grad};

/// New networks draw from libtorch's one generator, so that these tests run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    tch::set_num_threads(1);
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Few steps on small pictures.
fn settings(pictures: &Path, run: &Path) -> Settings {
    Settings {
        data: Source::Folder,
        data_dir: Some(pictures.to_path_buf()),
        image_size: 16,
        batch_size: 2,
        epochs: 2,
        learning_rate: 0.01,
        recalibration_batches: 3,
        output_dir: run.to_path_buf(),
        ..Settings::default()
    }
}

/// A session; one that is interrupted at once does a single step.
fn session(settings: &Settings, interrupt: bool, before: impl FnOnce(&mut Training)) -> Result<Ending> {
    let data = Data::open(settings, Device::Cpu)?;
    let mut training = Training::new(settings, &data, Device::Cpu)?;
    let checkpoint = Some(checkpoint_path(&settings.output_dir)).filter(|path| path.exists());
    if checkpoint.is_some() {
        training.load(Checkpoint::read(&settings.output_dir)?)?;
    }
    let folder = RunFolder::open(&settings.output_dir)?;
    training.settle(&folder, checkpoint.as_deref())?;
    before(&mut training);
    training.run(Session { interrupt: &AtomicBool::new(interrupt), epochs: None, quiet: true })
}

fn finish(settings: &Settings) {
    assert!(matches!(session(settings, false, |_| ()).unwrap(), Ending::Finished(_)));
}

/// What a run leaves, but for what says when and where it ran.
fn results(run: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    let names = ["epochs.csv", "model.safetensors", "permutations.csv", "result.json"];
    names.into_iter().map(|name| (name, std::fs::read(run.join(name)).unwrap())).collect()
}

#[test]
fn stopped_after_every_step_among_batches_without_any_image_a_run_gives_the_bytes_of_one_in_one_go() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    pictures::write(&pictures, 8);
    for index in 0..4 {
        std::fs::write(pictures::path(&pictures, "train", "dog", index), "no picture").unwrap();
        std::fs::write(pictures::path(&pictures, "train", "cat", index), "").unwrap();
    }
    let [whole, parts] = ["whole", "parts"].map(|run| settings(&pictures, &folder.path().join(run)));
    let data = Data::open(&whole, Device::Cpu).unwrap();
    let sizes: Vec<usize> = data.train_batches(0, 0).map(|batch| batch.unwrap().len()).collect();
    assert!(sizes.len() == 8 && sizes[..7].contains(&0) && sizes.contains(&2), "{sizes:?}");
    assert_eq!(data.unreadable().len(), 8);

    finish(&whole);
    let mut sessions = 0;
    while let Ending::Interrupted = session(&parts, true, |_| ()).unwrap() {
        sessions += 1;
        assert!(checkpoint_path(&parts.output_dir).exists() && sessions < 20);
    }
    assert_eq!(sessions, 14, "16 steps; the ninth is in the session of the eighth, the last in that which finishes");
    let results = [&whole, &parts].map(|run| results(&run.output_dir));
    assert_eq!(results[0], results[1]);
    let outcome = String::from_utf8_lossy(&results[0]["result.json"]).into_owned();
    assert!(outcome.contains("\"count\": 8") && outcome.contains("\"train/cat/0.png: "), "{outcome}");
    assert!(!outcome.contains(folder.path().to_str().unwrap()), "{outcome}");
}

#[test]
fn an_image_that_cannot_be_read_ends_the_session_with_its_name_and_nothing_is_lost() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    pictures::write(&pictures, 6);
    let [whole, parts] = ["whole", "parts"].map(|run| settings(&pictures, &folder.path().join(run)));
    finish(&whole);
    let gone = pictures::path(&pictures, "train", "dog", 3);
    let kept = folder.path().join("kept");
    let message = session(&parts, false, |_| std::fs::rename(&gone, &kept).unwrap()).unwrap_err().to_string();
    assert!(message.contains(gone.to_str().unwrap()), "{message}");
    std::fs::rename(&kept, &gone).unwrap();
    finish(&parts);
    assert!(results(&whole.output_dir) == results(&parts.output_dir));
}

#[test]
fn images_of_which_none_is_one_are_an_error() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for part in ["train", "val"] {
        let pictures = folder.path().join(part);
        pictures::write(&pictures, 2);
        for (class, index) in [("cat", 0), ("cat", 1), ("dog", 0), ("dog", 1)] {
            std::fs::write(pictures::path(&pictures, part, class, index), "no picture").unwrap();
        }
        let settings = settings(&pictures, &folder.path().join(format!("{part}-run")));
        let message = session(&settings, false, |_| ()).unwrap_err().to_string();
        assert!(message.contains("none of the") && message.contains(&format!("{part}/cat/0.png")), "{message}");
    }
}

#[test]
fn a_number_that_is_not_finite_ends_the_run_and_the_last_good_checkpoint_stays() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    pictures::write(&pictures, 4);
    let run = settings(&pictures, &folder.path().join("run"));
    session(&run, true, |_| ()).unwrap();
    let good = std::fs::read(checkpoint_path(&run.output_dir)).unwrap();
    // What no loss shows: at the end of an epoch, and at an interrupt.
    let spoil = |training: &mut Training| {
        let variables = training.network.store.variables();
        no_grad(|| drop(variables["conv5.1.running_mean"].shallow_clone().fill_(f64::INFINITY)));
    };
    for interrupt in [false, true] {
        let message = session(&run, interrupt, spoil).unwrap_err().to_string();
        assert!(message.contains("not finite") && message.contains("after 0 epochs and 1 steps"), "{message}");
        assert!(std::fs::read(checkpoint_path(&run.output_dir)).unwrap() == good, "replaced by a run that diverged");
    }
    finish(&run);
}

#[test]
fn other_images_are_refused_wherever_they_are() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    pictures::write(&pictures, 4);
    let run = settings(&pictures, &folder.path().join("run"));
    session(&run, true, |_| ()).unwrap();
    let there = folder.path().join("there");
    pictures::write(&there, 4);
    let elsewhere = Settings { data_dir: Some(there.clone()), workers: 3, prefetch: 1, test_every: 0, ..run.clone() };
    assert!(matches!(session(&elsewhere, true, |_| ()).unwrap(), Ending::Interrupted), "the same images, elsewhere");

    let extra = pictures::path(&there, "train", "cat", 0).with_file_name("extra.png");
    std::fs::copy(pictures::path(&there, "train", "cat", 0), &extra).unwrap();
    let message = session(&elsewhere, false, |_| ()).unwrap_err().to_string();
    assert!(message.contains("checkpoint.safetensors: is of a run on other images"), "{message}");
    std::fs::remove_file(extra).unwrap();
    // The same names, but smaller files.
    let picture = image::RgbImage::from_pixel(9, 9, image::Rgb([1, 2, 3]));
    picture.save(pictures::path(&there, "val", "dog", 2)).unwrap();
    let message = session(&elsewhere, false, |_| ()).unwrap_err().to_string();
    assert!(message.contains("other images"), "{message}");
    finish(&run);
}

#[test]
fn a_subset_of_a_folders_images_is_learned_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    pictures::write(folder.path(), 6);
    let subset =
        |train_images| Data::open(&Settings { train_images, ..settings(folder.path(), folder.path()) }, Device::Cpu);
    assert_eq!([0, 12, 5].map(|count| subset(count).unwrap().steps()), [6, 6, 2]);
    assert!(subset(13).unwrap_err().to_string().contains("train_images: is 13, but there are 12"));
}

#[test]
fn classes_without_images_are_refused_and_hidden_names_are_no_classes() {
    let folder = tempfile::tempdir().unwrap();
    pictures::write(folder.path(), 3);
    std::fs::create_dir_all(folder.path().join("train/.thumbnails")).unwrap();
    std::fs::write(folder.path().join("train/cat/._0.png"), "not an image").unwrap();
    let settings = settings(folder.path(), folder.path());
    let data = Data::open(&settings, Device::Cpu).unwrap();
    assert_eq!((data.classes, data.steps()), (2, 3));
    std::fs::create_dir_all(folder.path().join("train/horse")).unwrap();
    let message = Data::open(&settings, Device::Cpu).unwrap_err().to_string();
    assert!(message.contains("train/horse: has no images"), "{message}");
}
