//! The figures: distances against their bounds, and how sharp the constants are.

use super::ascent::{Highest, Target};
use super::sample::Kind;
use super::trials::{BINS, Bin, Cell, Domain};
use crate::experiment::canvas::{self, Canvas, Drawn, Figure, Marker, Point};
use crate::experiment::chart::{Axes, BLUE, GREEN, GREY, Look, ORANGE, PURPLE, SKY, VERMILION, extent};
use birkhoff::certificate::{DISTANCE_FACTOR, ROUNDING_RADIUS};
use birkhoff::error::Result;
use plotters::prelude::{BLACK, DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;
use std::path::Path;

/// Draws the distance to the nearest permutation against P and against T3's bound.
pub(in crate::experiment) fn draw_bounds(path: &Path, cells: &[Cell], bins: &[Bin]) -> Result<()> {
    canvas::write(path, &Bounds { cells, bins })
}

struct Bounds<'a> {
    cells: &'a [Cell],
    bins: &'a [Bin],
}

/// Shades from few to many: as many as can be told apart.
const SHADES: f64 = 24.0;

/// Grey for few, dark blue for many: also in order without colour.
fn shade(count: usize, most: usize) -> RGBColor {
    let share = ((count as f64).ln_1p() / (most as f64).ln_1p() * SHADES).round() / SHADES;
    let mix = |light: f64, dark: f64| (light + (dark - light) * share).round() as u8;
    RGBColor(mix(214.0, 0.0), mix(226.0, 40.0), mix(238.0, 92.0))
}

impl Bounds<'_> {
    fn of(&self, domain: Domain) -> Vec<&Bin> {
        self.bins.iter().filter(|bin| bin.domain == domain).collect()
    }

    /// The bins as rectangles; `y` turns a bin's log₁₀ x and ratio into its height.
    fn cloud<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        axes: &Axes,
        domain: Domain,
        y: impl Fn(f64, f64) -> f64,
    ) -> Drawn<B> {
        let mut bins = self.of(domain);
        // Those of one shade become one path on the page.
        bins.sort_by_key(|bin| bin.count);
        let most = bins.last().map_or(1, |bin| bin.count);
        for bin in bins {
            let (half_x, half_y) = (0.5 / BINS.0, 0.5 / BINS.1);
            let low = axes.place((bin.log_x - half_x, y(bin.log_x - half_x, bin.ratio - half_y)));
            let high = axes.place((bin.log_x + half_x, y(bin.log_x + half_x, bin.ratio + half_y)));
            canvas.rectangle(low, high, shade(bin.count, most))?;
        }
        Ok(())
    }
}

/// Powers of ten from the first exponent to the last, every `step`.
fn decades<B: DrawingBackend>(canvas: &Canvas<B>, axes: &Axes, step: usize) -> Drawn<B> {
    let (first, last) = (axes.x.0.ceil() as i32, axes.x.1.floor() as i32);
    for exponent in (first..=last).step_by(step) {
        axes.x_tick(canvas, f64::from(exponent), &format!("1e{exponent}"), 15.0)?;
    }
    Ok(())
}

impl Figure for Bounds<'_> {
    fn size(&self) -> (u32, u32) {
        (1500, 640)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text("How far from a permutation, given the penalty?", (24.0, 36.0), 25.0, true, HPos::Left, BLACK)?;
        let x = extent(self.of(Domain::Feasible).iter().map(|bin| bin.log_x));
        let x = (x.0 - 0.2, x.1 + 0.2);
        let (top, bottom) = (116.0, 500.0);
        let tick = |v: f64, label: &str| (v, label.to_string());

        let axes = Axes { left: 84.0, right: 500.0, top, bottom, x, y: (x.0, x.1 + 0.3) };
        canvas.text("distance, on D_n", (24.0, 82.0), 17.0, true, HPos::Left, BLACK)?;
        let exponents = (x.0.ceil() as i32..=x.1.floor() as i32).step_by(2);
        axes.draw(canvas, &exponents.map(|e| (f64::from(e), format!("1e{e}"))).collect::<Vec<_>>(), 15.0)?;
        decades(canvas, &axes, 2)?;
        self.cloud(canvas, &axes, Domain::Feasible, |log_x, ratio| log_x + ratio.max(1e-9).log10())?;
        for (factor, color, dashes) in [(1.0, GREEN, &[9.0, 5.0][..]), (DISTANCE_FACTOR, VERMILION, &[][..])] {
            let line = [x.0, x.1].map(|x: f64| axes.place((x, (x + f64::log10(factor)).min(axes.y.1))));
            canvas.line(&line, color, 1.6, dashes)?;
        }
        let radius = ROUNDING_RADIUS.log10();
        let upright = |axes: &Axes| [axes.place((radius, axes.y.0)), axes.place((radius, axes.y.1))];
        canvas.line(&upright(&axes), BLUE, 1.6, &[2.5, 3.5])?;

        let zoom = Axes { left: 590.0, right: 1010.0, top, bottom, x, y: (0.9, 1.8) };
        canvas.text("distance / P, on D_n", (530.0, 82.0), 17.0, true, HPos::Left, BLACK)?;
        zoom.draw(
            canvas,
            &[tick(1.0, "1"), tick(1.25, "1.25"), tick(1.5, "1.5"), tick(DISTANCE_FACTOR, "1.707")],
            15.0,
        )?;
        decades(canvas, &zoom, 2)?;
        self.cloud(canvas, &zoom, Domain::Feasible, |_, ratio| ratio)?;
        for (factor, color, dashes) in [(1.0, GREEN, &[9.0, 5.0][..]), (DISTANCE_FACTOR, VERMILION, &[][..])] {
            canvas.line(&[x.0, x.1].map(|x| zoom.place((x, factor))), color, 1.6, dashes)?;
        }
        canvas.line(&upright(&zoom), BLUE, 1.6, &[2.5, 3.5])?;
        for axes in [&axes, &zoom] {
            let middle = 0.5 * (axes.left + axes.right);
            canvas.text("penalty P(X)", (middle, bottom + 46.0), 16.0, false, HPos::Center, BLACK)?;
        }

        let x = extent(self.of(Domain::Approximate).iter().map(|bin| bin.log_x));
        let third = Axes { left: 1090.0, right: 1470.0, top, bottom, x: (x.0 - 0.2, x.1 + 0.2), y: (-0.05, 1.1) };
        let title = "distance / (2P + max(E_r, E_c)), where T3 applies";
        canvas.text(title, (1040.0, 82.0), 17.0, true, HPos::Left, BLACK)?;
        third.draw(canvas, &[tick(0.0, "0"), tick(0.5, "0.5"), tick(1.0, "1")], 15.0)?;
        decades(canvas, &third, 1)?;
        self.cloud(canvas, &third, Domain::Approximate, |_, ratio| ratio)?;
        canvas.line(&[third.x.0, third.x.1].map(|x| third.place((x, 1.0))), VERMILION, 1.6, &[])?;
        canvas.text("2P + max(E_r, E_c)", (1280.0, bottom + 46.0), 16.0, false, HPos::Center, BLACK)?;

        let samples: usize = self.cells.iter().map(|cell| cell.samples).sum();
        let violations: usize = self.cells.iter().map(|cell| cell.violations).sum();
        let caption = format!(
            "{samples} matrices, {violations} violations; darker means more (logarithmic). Counts, no intervals. Distance: entrywise ℓ1 to the nearest permutation."
        );
        canvas.text(&caption, (24.0, 584.0), 16.0, false, HPos::Left, GREY)?;
        let caption = "Red: proved upper bounds (T1: (1 + 1/√2)P; T3). Green, dashed: proved lower bound P (T1). Blue, dotted: T2's radius 4 − 2√2, below which rounding is unique.";
        canvas.text(caption, (24.0, 612.0), 16.0, false, HPos::Left, GREY)
    }
}

/// Draws the largest ratios against n.
pub(in crate::experiment) fn draw_constants(path: &Path, cells: &[Cell], highest: &[Highest]) -> Result<()> {
    canvas::write(path, &Constants { cells, highest })
}

struct Constants<'a> {
    cells: &'a [Cell],
    highest: &'a [Highest],
}

fn look(kind: Kind) -> Look {
    let look = |color, dashes, marker| Look { color, width: 1.8, dashes, marker };
    match kind {
        Kind::Mixture => look(SKY, &[9.0, 5.0], Marker::Square),
        Kind::Sinkhorn => look(ORANGE, &[9.0, 3.0, 2.5, 3.0], Marker::TriangleDown),
        Kind::NearVertex => look(GREEN, &[2.5, 3.5], Marker::Triangle),
        Kind::Blocks => look(BLUE, &[14.0, 4.0], Marker::Diamond),
        Kind::Iterate => look(PURPLE, &[5.0, 3.0], Marker::Cross),
        Kind::Approximate => look(BLACK, &[1.5, 5.0], Marker::Plus),
    }
}

const SEARCH: Look = Look { color: VERMILION, width: 3.0, dashes: &[], marker: Marker::Circle };

/// A panel: its title, the bound, what is drawn of a cell, and of the search.
struct Ratio {
    title: &'static str,
    bound: f64,
    of: fn(&Cell) -> f64,
    target: Option<Target>,
}

const RATIOS: [Ratio; 6] = [
    Ratio {
        title: "T1: distance/P",
        bound: DISTANCE_FACTOR,
        of: |cell| cell.largest_ratio,
        target: Some(Target::Distance),
    },
    Ratio {
        title: "T2: distance/P within the radius",
        bound: DISTANCE_FACTOR,
        of: |cell| cell.largest_t2_ratio,
        target: None,
    },
    Ratio {
        title: "T3: distance/(2P + max(E_r, E_c))",
        bound: 1.0,
        of: |cell| cell.largest_t3_ratio,
        target: Some(Target::Approximate),
    },
    Ratio {
        title: "Lipschitz: ‖tangent ∇P‖/2√n", bound: 1.0, of: |cell| cell.largest_lipschitz_ratio, target: None
    },
    Ratio {
        title: "curvature: (2/n)/(−P'' towards J/n)",
        bound: 1.0,
        of: |cell| cell.largest_curvature_ratio,
        target: None,
    },
    Ratio {
        title: "T4: weight/L needed for ½‖· − X‖²",
        bound: DISTANCE_FACTOR,
        of: |cell| cell.largest_t4_ratio,
        target: None,
    },
];

impl Constants<'_> {
    fn panel<B: DrawingBackend>(&self, canvas: &Canvas<B>, ratio: &Ratio, at: Point) -> Drawn<B> {
        let x = extent(self.cells.iter().map(|cell| (cell.n as f64).log10()));
        let axes = Axes {
            left: at.0,
            right: at.0 + 380.0,
            top: at.1,
            bottom: at.1 + 240.0,
            x: (x.0 - 0.06, x.1 + 0.06),
            y: (0.0, 1.1 * ratio.bound),
        };
        canvas.text(ratio.title, (at.0 - 40.0, at.1 - 18.0), 17.0, true, HPos::Left, BLACK)?;
        let ticks = [0.0, 0.5, 1.0, 1.5].into_iter().filter(|&y| y <= ratio.bound).map(|y| (y, y.to_string()));
        axes.draw(canvas, &ticks.collect::<Vec<_>>(), 15.0)?;
        for n in [2, 5, 10, 20, 50, 100, 200] {
            if (axes.x.0..=axes.x.1).contains(&f64::from(n).log10()) {
                axes.x_tick(canvas, f64::from(n).log10(), &n.to_string(), 15.0)?;
            }
        }
        canvas.text("n", (at.0 + 190.0, at.1 + 282.0), 15.0, false, HPos::Center, BLACK)?;
        canvas.line(&[axes.x.0, axes.x.1].map(|x| axes.place((x, ratio.bound))), GREY, 2.0, &[])?;
        for kind in Kind::ALL {
            // Only T3 is about matrices off the polytope.
            if kind == Kind::Approximate && ratio.target != Some(Target::Approximate) {
                continue;
            }
            let cells = self.cells.iter().filter(|cell| cell.kind == kind && (ratio.of)(cell) > 0.0);
            let points = cells.map(|cell| axes.place(((cell.n as f64).log10(), (ratio.of)(cell))));
            look(kind).series(canvas, &points.map(|point| (point, point.1, point.1)).collect::<Vec<_>>())?;
        }
        if let Some(target) = ratio.target {
            let rows = self.highest.iter().filter(|row| row.target == target && row.ratio.is_finite());
            let points = rows.map(|row| axes.place(((row.n as f64).log10(), row.ratio)));
            SEARCH.series(canvas, &points.map(|point| (point, point.1, point.1)).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

impl Figure for Constants<'_> {
    fn size(&self) -> (u32, u32) {
        (1440, 920)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text("How sharp are the bounds? Largest ratios found", (24.0, 36.0), 25.0, true, HPos::Left, BLACK)?;
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            look(kind).legend(canvas, (24.0 + 205.0 * index as f64, 76.0), kind.name(), false)?;
        }
        SEARCH.legend(canvas, (24.0 + 205.0 * 6.0, 76.0), "ascent", true)?;
        for (index, ratio) in RATIOS.iter().enumerate() {
            self.panel(canvas, ratio, (76.0 + 470.0 * (index % 3) as f64, 146.0 + 360.0 * (index / 3) as f64))?;
        }
        let samples: usize = self.cells.iter().map(|cell| cell.samples).sum();
        let judged: usize = self.highest.iter().map(|row| row.evaluations).sum();
        let caption = format!(
            "{samples} random matrices and {judged} in the search by ascent; each point is the largest of its kind and size: extremes, which have no interval."
        );
        canvas.text(&caption, (24.0, 860.0), 16.0, false, HPos::Left, GREY)?;
        canvas.text("Grey line: what is proved (docs/mathematics.md §2).", (24.0, 888.0), 16.0, false, HPos::Left, GREY)
    }
}
