//! Every picture, from the files in `results/` alone: this reads and draws, and never solves.

mod growth;
mod heat;
mod matching;
mod page;
mod tables;
mod training;

use super::canvas::{self, Figure};
use super::{Configuration, RunDirectory, error_bounds, graph_matching, read_rows, two_layer};
use birkhoff::error::{Error, Result};
use page::Shown;
use std::path::Path;

/// The program that draws, as its manifest names it.
const PROGRAM: &str = "figures";

/// Draws all pictures, each as SVG and PNG, the page that shows them, their index, and a manifest by which the next
/// drawing knows them; returns the names of the files. The folder is replaced as a whole when all are drawn.
///
/// # Errors
/// What is wrong with a file of the results, or with the folder that is written to: it must hold nothing but an earlier
/// drawing.
pub fn draw_all(results: &Path, folder: &Path) -> Result<Vec<String>> {
    let drawing = RunDirectory::create(folder, PROGRAM)?;
    let mut desk = Desk { results, drawing: &drawing, shown: Vec::new() };
    desk.graph_matching()?;
    desk.two_layer()?;
    desk.error_bounds()?;
    desk.tables()?;
    desk.training()?;
    drawing.write("index.html", page::page(&desk.shown).as_bytes())?;
    drawing.write("README.md", page::index(&desk.shown).as_bytes())?;
    // Where and when it was drawn has no place in it: the same results give the same bytes.
    drawing.write_manifest([("program".to_string(), PROGRAM.into())].into_iter().collect())?;
    let files = drawing.files()?;
    drawing.finish()?;
    Ok(files)
}

/// Where pictures are drawn, and what has been drawn.
struct Desk<'a> {
    results: &'a Path,
    drawing: &'a RunDirectory,
    shown: Vec<Shown>,
}

/// What a picture is called and where it comes from.
struct About {
    name: &'static str,
    /// What it answers.
    question: &'static str,
    caption: String,
    command: &'static str,
    /// Folders of the results.
    sources: &'static [&'static str],
}

impl Desk<'_> {
    fn draw(&mut self, about: About, figure: &impl Figure) -> Result<()> {
        self.keep(about, |path| canvas::write(path, figure))
    }

    /// Draws SVG and PNG, and keeps the first for the page.
    fn keep(&mut self, about: About, draw: impl Fn(&Path) -> Result<()>) -> Result<()> {
        let path = |kind: &str| self.drawing.path(&format!("{}.{kind}", about.name));
        for kind in ["svg", "png"] {
            draw(&path(kind))?;
        }
        let svg = std::fs::read_to_string(path("svg")).map_err(|error| Error::io(path("svg"), error))?;
        let sources = about.sources.iter().map(|name| (format!("results/{name}"), self.commit(name))).collect();
        self.shown.push(Shown {
            name: about.name,
            question: about.question,
            caption: about.caption,
            command: about.command,
            sources,
            svg: page::compact(&svg[svg.find("<svg").unwrap_or(0)..]),
        });
        Ok(())
    }

    /// The rows of a table that several folders have.
    fn joined<Row: serde::de::DeserializeOwned>(&self, folders: &[&str], table: &str) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for folder in folders {
            rows.extend(read_rows(&self.results.join(folder).join(table))?);
        }
        Ok(rows)
    }

    /// The commit in a folder's manifest.
    fn commit(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.results.join(name).join("manifest.json")).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        match manifest["commit"].as_str() {
            Some(commit) => commit.chars().take(12).collect(),
            None => "not recorded: see the README there".to_string(),
        }
    }

    fn graph_matching(&mut self) -> Result<()> {
        use graph_matching::{Experiment, Summary, Threshold, landscapes, path};
        let read = |name: &str| Experiment::read(&self.results.join(name).join("config.toml"));
        let at = |name: &str| self.results.join(name);
        let (sweep, small, gaussian) = (read("recovery")?, read("graph_matching")?, read("gaussian")?);
        let (mut large, larger) = (read("recovery-200")?, read("recovery-400")?);
        large.instances.n.extend(larger.instances.n);
        let thresholds: Vec<Threshold> =
            self.joined(&["recovery", "recovery-200", "recovery-400", "gaussian"], "rho50.csv")?;
        let few: Vec<Summary> = read_rows(&at("recovery/summary.csv"))?;
        let many: Vec<Summary> = self.joined(&["recovery-200", "recovery-400"], "summary.csv")?;
        let weighted: Vec<Summary> = read_rows(&at("gaussian/summary.csv"))?;
        let points: Vec<landscapes::Point> = read_rows(&at("graph_matching/landscapes.csv"))?;
        let stages: Vec<path::Stage> = read_rows(&at("graph_matching/path.csv"))?;
        let entries: Vec<path::Entry> = read_rows(&at("graph_matching/heat.csv"))?;

        const SWEEP: &str = "graph_matching experiment experiments/recovery.toml";
        const SMALL: &str = "graph_matching";
        let trials = sweep.trials;
        self.draw(
            About {
                name: "landscapes-graph-matching",
question: "What does the penalty do at n = 2, where everything can be seen?",
                caption: "Graph matching at n = 2: the relaxation's minimum lies inside, where no permutation is. From λ₁ on the right permutation is the global minimum, from λ₂ on the wrong one is a local minimum too. Closed form, no trials.".into(),
                command: SMALL,
                sources: &["graph_matching"],
            },
            &matching::landscapes(&points),
        )?;
        let recovery = |experiment, summaries, names: &[&str], title| graph_matching::figure::Recovery {
            experiment,
            summaries,
            names: names.iter().map(|name| name.to_string()).collect(),
            title,
        };
        let compared = ["relaxation", "faq", "relaxation-faq", "penalized", "path-4-restarts"];
        let named = [&compared[..], &["library-default"]].concat();
        self.draw(
            About {
                name: "recovery",
question: "Up to which noise does each method find the hidden permutation?",
                caption: format!("Share of vertices right against the correlation, {trials} trials a point. FAQ fails first, then the relaxation, then both in a row; the penalized path goes further, with restarts further still, and below some correlation all fail."),
                command: SWEEP,
                sources: &["recovery"],
            },
            &recovery(&sweep, &few, &named, "Up to which noise is the hidden permutation found?"),
        )?;
        self.draw(
            About {
                name: "recovery-large",
                question: "Does that hold for larger graphs?",
                caption: format!("The same at n = 200 and 400, {trials} trials a point; restarts at n = 200 alone."),
                command: "graph_matching experiment experiments/recovery-200.toml (and -400.toml)",
                sources: &["recovery-200", "recovery-400"],
            },
            &recovery(&large, &many, &compared, "Larger graphs: up to which noise is the hidden permutation found?"),
        )?;
        self.draw(
            About {
                name: "recovery-gaussian",
                question: "Does it hold where every pair has a weight?",
                caption: format!("The same on correlated Gaussian (Wigner) matrices, {trials} trials a point."),
                command: "graph_matching experiment experiments/gaussian.toml",
                sources: &["gaussian"],
            },
            &recovery(
                &gaussian,
                &weighted,
                &named,
                "Gaussian weights: up to which noise is the hidden permutation found?",
            ),
        )?;
        let named = ["relaxation", "penalized", "path-frobenius", "path-entropy"];
        self.draw(
            About {
                name: "ablation",
question: "Does it matter which penalty the path has?",
                caption: format!("The same path with another penalty, {trials} trials a point: penalized is l1−l2. Paths by themselves: no look ahead, no polish, one run."),
                command: SWEEP,
                sources: &["recovery"],
            },
            &recovery(&sweep, &few, &named, "Does it matter which penalty the path has?"),
        )?;
        self.draw(
            About {
                name: "rho50",
question: "How much noise does each method bear as the graphs grow?",
                caption: format!("ρ₅₀, the correlation at which half of the trials are recovered (90 % of the vertices right), against n; {trials} trials a level, bootstrap intervals. Lower is better. Methods without a crossing in the levels are not drawn."),
                command: SWEEP,
                sources: &["recovery", "recovery-200", "recovery-400", "gaussian"],
            },
            &matching::thresholds(&sweep, &thresholds),
        )?;
        self.draw(
            About {
                name: "path",
question: "What happens along one path?",
                caption: "One penalized path: value, penalty, distance to the truth and vertices right as the weight grows. One run.".into(),
                command: SMALL,
                sources: &["graph_matching"],
            },
            &matching::path(&stages),
        )?;
        self.draw(
            About {
                name: "heat",
                question: "What does X look like along that path?",
                caption:
                    "X along the same path, in the order of the hidden permutation: the diagonal is right. One run."
                        .into(),
                command: SMALL,
                sources: &["graph_matching"],
            },
            &heat::path(&stages, &entries),
        )?;
        let rows: Vec<Summary> = read_rows(&at("graph_matching/summary.csv"))?;
        let about = About {
            name: "methods",
            question: "How do all seven methods compare, measured in under a minute?",
            caption: format!("All seven methods on the same graphs at n = 60, {} trials a point.", small.trials),
            command: SMALL,
            sources: &["graph_matching"],
        };
        self.keep(about, |path| graph_matching::figure::draw_recovery(path, &small, &rows))
    }

    fn two_layer(&mut self) -> Result<()> {
        let folder = self.results.join("two_layer");
        let experiment = two_layer::Experiment::read(&folder.join("config.toml"))?;
        let summaries: Vec<two_layer::Summary> = read_rows(&folder.join("summary.csv"))?;
        let points: Vec<two_layer::landscapes::Point> = read_rows(&folder.join("landscapes.csv"))?;
        let followed: Vec<two_layer::trajectories::Trajectory> = read_rows(&folder.join("trajectories.csv"))?;
        let trials = experiment.trials;
        let about =
            |name, question, caption| About { name, question, caption, command: "two_layer", sources: &["two_layer"] };
        let caption = "Two-layer networks at n = 2: f + λP with the weight below, at and above its thresholds. Closed form, no trials.";
        self.keep(
            about("landscapes-two-layer", "What does the penalty do in a two-layer network at n = 2?", caption.into()),
            |path| two_layer::figure::draw_landscapes(path, &points),
        )?;
        let caption = format!(
            "Share of {trials} trials that find the teacher's permutation, by network, dimension and noise. The relaxation is exact where the teacher is a permutation and all units are seen; with noise no relaxed solution is near a permutation, and with the penalty all end near the right one."
        );
        self.keep(about("two-layer-success", "When is the permutation inside a network found?", caption), |path| {
            two_layer::figure::draw_success(path, &experiment, &summaries)
        })?;
        let caption =
            "Loss, penalty and distance to the teacher along the runs: median and quartiles of 20 trials.".to_string();
        self.keep(
            about("two-layer-trajectories", "How do loss, penalty and distance go along the runs?", caption),
            |path| two_layer::figure::draw_trajectories(path, &experiment, &followed),
        )
    }

    fn error_bounds(&mut self) -> Result<()> {
        let folder = self.results.join("error_bounds");
        let cells: Vec<error_bounds::Cell> = read_rows(&folder.join("trials.csv"))?;
        let bins: Vec<error_bounds::Bin> = read_rows(&folder.join("histogram.csv"))?;
        let highest: Vec<error_bounds::Highest> = read_rows(&folder.join("ascent.csv"))?;
        let samples: usize = cells.iter().map(|cell| cell.samples).sum();
        let about = |name, question, caption| About {
            name,
            question,
            caption,
            command: "error_bounds",
            sources: &["error_bounds"],
        };
        let caption = format!(
            "Distance to the nearest permutation against the penalty, {samples} matrices: none outside of the proved bounds."
        );
        self.keep(about("error-bounds", "Do the proved bounds hold on a million matrices?", caption), |path| {
            error_bounds::figure::draw_bounds(path, &cells, &bins)
        })?;
        let caption = format!(
            "Largest ratios by kind and size against the proved constants, {samples} matrices and a search by ascent."
        );
        self.keep(about("error-bounds-constants", "How sharp are the proved constants?", caption), |path| {
            error_bounds::figure::draw_constants(path, &cells, &highest)
        })
    }

    fn tables(&mut self) -> Result<()> {
        let caption = "Recovery against noise for quick, default and thorough, beside the published numbers of Lelarge, which we have not run ourselves; 10 or 20 instances a point.";
        let command =
            "cargo run --release --example frontier -- sparse 500 4 0.3 0..20 default 600 31415 (and the like)";
        let about = About {
            name: "frontier",
            question: "Where do we stand beside the best that is published?",
            caption: caption.into(),
            command,
            sources: &["frontier", "lelarge"],
        };
        self.draw(about, &tables::frontier(self.results)?)?;
        let caption = "Which start brings what on the benchmark of Lelarge: one path from each on the same graphs, and the default effort from the one that suits them.";
        let command =
            "cargo run --release --example frontier -- sparse 500 4 0.3 0..20 quick 600 31415 walks (and the like)";
        let about = About {
            name: "starts",
            question: "Which start suits which graphs?",
            caption: caption.into(),
            command,
            sources: &["frontier"],
        };
        self.draw(about, &tables::starts(self.results)?)?;
        let caption = "Edges kept on real pairs, one run each: our methods and the peers'.";
        let command = "graph_matching match A B --truth T; python3 benches/peers.py --threads 1 --cases pairs";
        let sources = &["real_graphs", "peers/pairs"];
        let about = About {
            name: "real-graphs",
            question: "How many edges are kept on real graphs, beside SciPy and graspologic?",
            caption: caption.into(),
            command,
            sources,
        };
        self.draw(about, &tables::real_graphs(self.results)?)?;
        let caption = "CPU seconds and peak memory of the sparse search against n, beside measured SciPy and graspologic and what FUGAL, cuGAL, AC/DC and CSGM published.";
        let about = About {
            name: "growth",
            question: "How do time and memory grow up to 200,000 vertices?",
            caption: caption.into(),
            command: "RAYON_NUM_THREADS=1 cargo run --release --example growth",
            sources: &["growth", "peers/pairs"],
        };
        self.draw(about, &growth::growth(self.results)?)
    }

    fn training(&mut self) -> Result<()> {
        let about = |name, question, command, caption: &str| About {
            name,
            question,
            caption: caption.into(),
            command,
            sources: &["autoshufflenet"],
        };
        for comparison in &training::COMPARISONS {
            let drawn = training::comparison(self.results, comparison)?;
            self.draw(about(comparison.name, comparison.question, comparison.command, comparison.caption), &drawn)?;
        }
        let caption =
            "Penalty of every shuffle after each epoch, with and without the penalty in the loss; one run each.";
        let drawn = training::penalty_by_layer(self.results)?;
        self.draw(
            about(
                "autoshufflenet-penalty",
                "Which shuffles become permutations, and when?",
                training::COMPARISONS[0].command,
                caption,
            ),
            &drawn,
        )?;
        let command = "autoshufflenet compare --config crates/autoshufflenet/cifar10-learned.toml --trace-matrix stage2.0 --kinds auto,relaxed --seeds 1";
        let caption = "A shuffle's matrix as it is learned with the penalty: noise, then a permutation. One run.";
        let drawn = training::learned_matrix(self.results, "auto-1", "auto: a shuffle is learned")?;
        self.draw(
            about("learned-matrix", "What does a shuffle look like as it is learned?", command, caption),
            &drawn,
        )?;
        let caption = "The same matrix without the penalty: it stays spread out, and rounding chooses among nearly equal entries. One run.";
        let drawn =
            training::learned_matrix(self.results, "relaxed-1", "relaxed: the same shuffle without the penalty")?;
        self.draw(about("relaxed-matrix", "What does it look like without the penalty?", command, caption), &drawn)
    }
}
