//! Panels of lines: the figure most results are drawn as.

use super::canvas::{Canvas, Drawn, Figure, Point};
use super::chart::{Axes, GREY, Look, extent, ticks};
use plotters::prelude::{BLACK, DrawingBackend};
use plotters::style::text_anchor::HPos;

/// One line of a panel.
pub(super) struct Series {
    pub name: String,
    pub look: Look,
    /// Drawn without markers.
    pub curve: Vec<Point>,
    /// Drawn with a marker each, and an upright bar from low to high.
    pub points: Vec<(Point, f64, f64)>,
    /// Whether the points are joined.
    pub joined: bool,
}

impl Series {
    /// Points with their intervals, joined.
    pub fn of(name: impl Into<String>, look: Look, points: Vec<(Point, f64, f64)>) -> Self {
        Series { name: name.into(), look, curve: Vec::new(), points, joined: true }
    }

    /// Points without intervals, joined.
    pub fn exact(name: impl Into<String>, look: Look, points: impl IntoIterator<Item = Point>) -> Self {
        Series::of(name, look, points.into_iter().map(|(x, y)| ((x, y), y, y)).collect())
    }
}

/// What one panel shows.
pub(super) struct LinePanel {
    pub title: String,
    pub x_label: String,
    /// What stands on the y axis, with its unit.
    pub y_label: String,
    /// Names for places on the x axis; round numbers where there are none.
    pub x_names: Vec<(f64, String)>,
    pub y: Option<(f64, f64)>,
    pub scale: Scale,
    pub series: Vec<Series>,
}

/// Which axes are logarithmic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    LogarithmicX,
    Logarithmic,
}

/// The figure.
pub(super) struct Lines {
    pub title: String,
    pub captions: Vec<String>,
    pub arrangement: Arrangement,
    pub panels: Vec<LinePanel>,
    /// Height of the axes.
    pub height: f64,
}

/// How panels stand.
pub(super) enum Arrangement {
    /// One below the other.
    Stacked,
    /// In rows without a hole: three side by side, else two.
    Rows,
}

/// The width of a row: two wide panels, or three narrow ones; stacked ones have less.
const WIDTH: f64 = 1320.0;
const STACKED_WIDTH: f64 = 1180.0;

/// Above and below the axes of a panel.
const ABOVE: f64 = 64.0;
const BELOW: f64 = 72.0;
const LEGEND: f64 = 28.0;
const COLUMN: f64 = 312.0;

impl Lines {
    fn columns(&self) -> usize {
        match self.arrangement {
            Arrangement::Stacked => 1,
            Arrangement::Rows if self.panels.len().is_multiple_of(3) => 3,
            Arrangement::Rows => 2,
        }
    }

    /// Width of a panel, its labels included.
    fn width(&self) -> f64 {
        match self.arrangement {
            Arrangement::Stacked => STACKED_WIDTH,
            Arrangement::Rows => WIDTH / self.columns() as f64,
        }
    }

    fn legend_columns(&self) -> usize {
        (((self.width() - 30.0) / COLUMN) as usize).max(1)
    }

    fn row_height(&self) -> f64 {
        let most = self.panels.iter().map(|panel| panel.series.len()).max().unwrap_or(0);
        ABOVE + self.height + BELOW + LEGEND * most.div_ceil(self.legend_columns()) as f64 + 26.0
    }

    fn panel<B: DrawingBackend>(&self, canvas: &Canvas<B>, panel: &LinePanel, (left, top): Point) -> Drawn<B> {
        let (log_x, log_y) = (panel.scale != Scale::Linear, panel.scale == Scale::Logarithmic);
        let scaled = |x: f64| if log_x { x.log10() } else { x };
        let scaled_y = |y: f64| if log_y { y.log10() } else { y };
        let all = || {
            panel.series.iter().flat_map(|series| {
                let points = series.points.iter().flat_map(|&((x, y), low, high)| [(x, y), (x, low), (x, high)]);
                series.curve.iter().copied().chain(points)
            })
        };
        let shown = all().map(|(x, _)| scaled(x)).chain(panel.x_names.iter().map(|(x, _)| scaled(*x)));
        let (x, y) = (extent(shown), extent(all().map(|point| scaled_y(point.1))));
        let margin = |(low, high): (f64, f64), share: f64| (low - share * (high - low), high + share * (high - low));
        let axes = Axes {
            left: left + 84.0,
            right: left + self.width() - 24.0,
            top: top + ABOVE,
            bottom: top + ABOVE + self.height,
            x: margin(x, 0.05),
            y: panel.y.unwrap_or_else(|| margin(y, 0.05)),
        };
        canvas.text(&panel.title, (left + 24.0, top + 10.0), 18.0, true, HPos::Left, BLACK)?;
        canvas.text(&panel.y_label, (left + 24.0, top + 38.0), 16.0, false, HPos::Left, GREY)?;
        axes.draw(canvas, &ticks(axes.y, log_y), 16.0)?;
        if panel.x_names.is_empty() {
            for (x, label) in ticks(x, log_x) {
                axes.x_tick(canvas, x, &label, 16.0)?;
            }
        }
        for (x, name) in &panel.x_names {
            axes.x_tick(canvas, scaled(*x), name, 16.0)?;
        }
        let middle = 0.5 * (axes.left + axes.right);
        canvas.text(&panel.x_label, (middle, axes.bottom + 48.0), 17.0, false, HPos::Center, BLACK)?;
        for (index, series) in panel.series.iter().enumerate() {
            let at = |(x, y): Point| axes.place((scaled(x), scaled_y(y)));
            let curve: Vec<Point> = series.curve.iter().map(|&point| at(point)).collect();
            canvas.line(&curve, series.look.color, series.look.width, series.look.dashes)?;
            let place = |&((x, y), low, high): &(Point, f64, f64)| (at((x, y)), at((x, low)).1, at((x, high)).1);
            let places: Vec<_> = series.points.iter().map(place).collect();
            if series.joined {
                series.look.series(canvas, &places)?;
            } else {
                places.iter().try_for_each(|place| series.look.series(canvas, &[*place]))?;
            }
            let columns = self.legend_columns();
            let place = (
                left + 30.0 + COLUMN * (index % columns) as f64,
                axes.bottom + BELOW + 12.0 + LEGEND * (index / columns) as f64,
            );
            series.look.legend(canvas, place, &series.name, false)?;
        }
        Ok(())
    }
}

impl Figure for Lines {
    fn size(&self) -> (u32, u32) {
        let rows = self.panels.len().div_ceil(self.columns()) as f64;
        let width = 24.0 + self.width() * self.columns() as f64;
        (width as u32, (66.0 + rows * self.row_height() + 26.0 * self.captions.len() as f64 + 12.0) as u32)
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Drawn<B> {
        canvas.text(&self.title, (24.0, 34.0), 25.0, true, HPos::Left, BLACK)?;
        for (index, panel) in self.panels.iter().enumerate() {
            let left = self.width() * (index % self.columns()) as f64;
            self.panel(canvas, panel, (left, 66.0 + self.row_height() * (index / self.columns()) as f64))?;
        }
        let (_, height) = self.size();
        for (index, caption) in self.captions.iter().enumerate() {
            let y = f64::from(height) - 18.0 - 26.0 * (self.captions.len() - 1 - index) as f64;
            canvas.text(caption, (24.0, y), 16.0, false, HPos::Left, GREY)?;
        }
        Ok(())
    }
}
