//! Edges row by row, as readers collect them; and what becomes of rows that repeat an edge.

use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading, Repeated};
use super::symmetry::{accept, agree, mean};
use super::text::{number, shown};
use crate::error::{Error, Result};
use crate::graph::Graph;
use std::path::Path;

/// What a row of a file is: an edge between two vertices, or an arc from one to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Edges,
    Arcs,
}

#[derive(Clone, Copy)]
struct Row {
    u: u32,
    v: u32,
    line: u32,
    weight: f64,
}

impl Row {
    /// The ends, the smaller first: both directions of an edge have the same.
    fn ends(&self) -> (u32, u32) {
        (self.u.min(self.v), self.u.max(self.v))
    }
}

/// The edges of a file in its order, repeated ones included.
#[derive(Default)]
pub(super) struct Rows(Vec<Row>);

/// Edges once each, by their ends (undirected ones with the smaller end first), and how many rows repeated one.
pub(super) struct Resolved {
    pub kind: Kind,
    pub edges: Vec<(usize, usize, f64)>,
    pub repeated: usize,
}

impl Rows {
    /// The edge or arc from u to v; a graph with vertices beyond 2³² is beyond any memory.
    pub fn add(&mut self, line: usize, (u, v): (usize, usize), weight: f64) {
        self.0.push(Row { u: u as u32, v: v as u32, line: u32::try_from(line).unwrap_or(u32::MAX), weight });
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The ends and the weight of the first row.
    pub fn first(&self) -> Option<(usize, usize, f64)> {
        self.0.first().map(|row| (row.u as usize, row.v as usize, row.weight))
    }

    /// Adds the opposite of each row of which `both` says that it stands for both directions; a loop is its own.
    pub fn double(&mut self, both: impl Fn(usize) -> bool) {
        let opposite =
            |(k, row): (usize, &Row)| (both(k) && row.u != row.v).then_some(Row { u: row.v, v: row.u, ..*row });
        let opposites: Vec<Row> = self.0.iter().enumerate().filter_map(opposite).collect();
        self.0.extend(opposites);
    }

    /// Whether a row other than the first has the vertex.
    pub fn mentions_later(&self, vertex: usize) -> bool {
        self.0.iter().skip(1).any(|row| [row.u as usize, row.v as usize].contains(&vertex))
    }

    /// Takes out the first row and with it the vertices 0 and 1, which no other row has: the others move up.
    pub fn take_first(&mut self) {
        self.0.remove(0);
        self.0.iter_mut().for_each(|row| (row.u, row.v) = (row.u - 2, row.v - 2));
    }

    /// Vertex i becomes `label(i)`.
    pub fn rename(&mut self, label: impl Fn(usize) -> usize) {
        self.0.iter_mut().for_each(|row| (row.u, row.v) = (label(row.u as usize) as u32, label(row.v as usize) as u32));
    }

    /// The graph on the vertices called `names`.
    ///
    /// # Errors
    /// As [`Rows::resolve`] and [`accept`].
    pub fn into_file(
        self,
        source: &Path,
        format: GraphFormat,
        kind: Kind,
        names: Vec<String>,
        reading: &Reading,
    ) -> Result<GraphFile> {
        let resolved = self.resolve(source, kind, reading, &names)?;
        let repeated = resolved.repeated;
        let graph = resolved.into_graph(names.len())?;
        let (named, note) = accept(source, NamedGraph { graph, names }, reading)?;
        let notes = reading.repeated.note(repeated).into_iter().chain(note).collect();
        Ok(GraphFile { named, format, repeated, notes })
    }

    /// Each edge on the n vertices called `names` once, as [`Reading::repeated`] has it.
    ///
    /// O(n + m log(largest degree)).
    ///
    /// # Errors
    /// [`Error::Parse`] with the line of a row that repeats an edge where that must not be.
    pub fn resolve(self, source: &Path, kind: Kind, reading: &Reading, names: &[String]) -> Result<Resolved> {
        let rows = grouped(self.0, kind, names.len());
        let mut edges = Vec::with_capacity(rows.len());
        let mut repeated = 0;
        let judge = Judge { source, kind, reading, names };
        for group in rows.chunk_by(|a, b| key(a, kind) == key(b, kind)) {
            let (u, v) = key(&group[0], kind);
            let weight = match group {
                [row] => row.weight,
                _ => judge.weight(group, &mut repeated)?,
            };
            edges.push((u as usize, v as usize, weight));
        }
        Ok(Resolved { kind, edges, repeated })
    }
}

/// What rows of one edge have in common.
fn key(row: &Row, kind: Kind) -> (u32, u32) {
    match kind {
        Kind::Edges => row.ends(),
        Kind::Arcs => (row.u, row.v),
    }
}

/// The rows by their keys, equal ones in the order of the file: counted by the first end, then sorted by the second.
fn grouped(rows: Vec<Row>, kind: Kind, n: usize) -> Vec<Row> {
    if rows.is_sorted_by_key(|row| key(row, kind)) {
        return rows;
    }
    let mut ends = vec![0usize; n + 1];
    rows.iter().for_each(|row| ends[key(row, kind).0 as usize + 1] += 1);
    (0..n).for_each(|i| ends[i + 1] += ends[i]);
    let mut next = ends.clone();
    let mut sorted = rows.clone();
    for row in &rows {
        let place = &mut next[key(row, kind).0 as usize];
        sorted[*place] = *row;
        *place += 1;
    }
    for i in 0..n {
        sorted[ends[i]..ends[i + 1]].sort_by_key(|row| key(row, kind).1);
    }
    sorted
}

/// Decides what the rows of one edge amount to.
struct Judge<'s> {
    source: &'s Path,
    kind: Kind,
    reading: &'s Reading,
    names: &'s [String],
}

impl Judge<'_> {
    /// The weight of the edge of all rows in `group`, two or more.
    ///
    /// An undirected edge that is listed in both directions, as often and with the same weights in either, is
    /// listed once; any other row beyond the first is a repetition.
    fn weight(&self, group: &[Row], repeated: &mut usize) -> Result<f64> {
        let (there, back): (Vec<Row>, Vec<Row>) = match self.kind {
            Kind::Edges => group.iter().partition(|row| row.u <= row.v),
            Kind::Arcs => (group.to_vec(), vec![]),
        };
        if same_weights(&there, &back) {
            *repeated += there.len() - 1;
            return match (&there[..], &back[..]) {
                ([there], [back]) => Ok(mean(there.weight, back.weight)),
                _ => self.one_of(&there),
            };
        }
        if self.reading.symmetrize && !there.is_empty() && !back.is_empty() {
            *repeated += group.len() - 2;
            return Ok(mean(self.one_of(&there)?, self.one_of(&back)?));
        }
        *repeated += group.len() - 1;
        self.one_of(group)
    }

    /// The weight that repeated rows have together.
    fn one_of(&self, rows: &[Row]) -> Result<f64> {
        let first = &rows[0];
        let weights = rows.iter().map(|row| row.weight);
        match self.reading.repeated {
            Repeated::Sum => {
                let sum: f64 = weights.sum();
                if sum.is_finite() { Ok(sum) } else { self.refuse(first, &rows[rows.len() - 1], "their sum overflows") }
            }
            Repeated::First => Ok(first.weight),
            Repeated::Max => Ok(weights.fold(f64::NEG_INFINITY, f64::max)),
            Repeated::Agree => match rows.iter().find(|row| !agree(row.weight, first.weight)) {
                Some(other) => self.refuse(first, other, self.way_out(first, other)),
                None => Ok(first.weight),
            },
            Repeated::Error => match rows.get(1) {
                Some(second) => self.refuse(first, second, "no edge may be repeated"),
                None => Ok(first.weight),
            },
        }
    }

    /// What a user whose rows disagree can do.
    fn way_out(&self, first: &Row, other: &Row) -> &'static str {
        if self.kind == Kind::Edges && first.u == other.v && first.u != first.v {
            "--directed reads arcs, --symmetrize takes the mean, --repeated sum, first or max decides"
        } else {
            "--repeated sum, first or max decides"
        }
    }

    fn refuse(&self, first: &Row, other: &Row, cause: &str) -> Result<f64> {
        let name = |vertex: u32| shown(&self.names[vertex as usize]);
        let what = if self.kind == Kind::Arcs { "arc" } else { "edge" };
        let (u, v, weight) = (name(other.u), name(other.v), number(other.weight));
        let earlier = format!("{} in line {}", number(first.weight), first.line);
        let cause = format!("the {what} from {u} to {v} has weight {weight}, but {earlier}; {cause}");
        Err(Error::parse(self.source, other.line as usize, cause))
    }
}

fn same_weights(there: &[Row], back: &[Row]) -> bool {
    if there.len() != back.len() {
        return false;
    }
    let sorted = |rows: &[Row]| {
        let mut weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
        weights.sort_by(f64::total_cmp);
        weights
    };
    sorted(there).into_iter().zip(sorted(back)).all(|(a, b)| agree(a, b))
}

impl Resolved {
    /// The graph on n vertices: an edge is two arcs, a loop one. O(n + m).
    pub fn into_graph(self, n: usize) -> Result<Graph> {
        match self.kind {
            Kind::Arcs => Graph::directed(n, self.edges),
            Kind::Edges => Graph::directed(n, in_both_directions(n, &self.edges)),
        }
    }
}

/// Both arcs of each edge in the order of a graph's arcs, so that nothing is left to sort there: edges come by their
/// smaller end, so the arcs back to it come in order as well, and before those to larger ends.
fn in_both_directions(n: usize, edges: &[(usize, usize, f64)]) -> Vec<(usize, usize, f64)> {
    let mut next = vec![0usize; n + 1];
    for &(i, j, _) in edges {
        next[i + 1] += 1;
        next[j + 1] += usize::from(i != j);
    }
    (0..n).for_each(|i| next[i + 1] += next[i]);
    let mut arcs = vec![(0, 0, 0.0); next[n]];
    let mut put = |i: usize, j: usize, weight: f64| {
        arcs[next[i]] = (i, j, weight);
        next[i] += 1;
    };
    edges.iter().filter(|(i, j, _)| i != j).for_each(|&(i, j, weight)| put(j, i, weight));
    edges.iter().for_each(|&(i, j, weight)| put(i, j, weight));
    arcs
}

#[cfg(test)]
mod tests {
    use super::*;

    type Edges = Vec<(usize, usize, f64)>;

    fn resolved(rows: &[(usize, usize, f64)], kind: Kind, reading: Reading) -> Result<(Edges, usize)> {
        let mut all = Rows::default();
        rows.iter().enumerate().for_each(|(k, &(u, v, weight))| all.add(k + 1, (u, v), weight));
        let names: Vec<String> = ["a", "b", "c", "d"].map(String::from).to_vec();
        all.resolve(Path::new("f"), kind, &reading, &names).map(|resolved| (resolved.edges, resolved.repeated))
    }

    fn by(repeated: Repeated) -> Reading {
        Reading { repeated, ..Reading::default() }
    }

    #[test]
    fn an_edge_listed_in_both_directions_is_one_edge_whatever_is_done_with_repetitions() {
        let rows = [(1, 0, 2.0), (0, 1, 2.0), (2, 1, 1.0), (1, 2, 1.0 + 1e-12), (3, 3, 5.0)];
        for repeated in Repeated::ALL {
            let (edges, count) = resolved(&rows, Kind::Edges, by(repeated)).unwrap();
            assert_eq!((edges[0], edges[2], count), ((0, 1, 2.0), (3, 3, 5.0), 0));
            assert_eq!(edges[1].2, 1.0 + 5e-13, "numbers that differ by rounding: their mean");
        }
    }

    #[test]
    fn repeated_rows_are_counted_and_added_taken_once_or_refused() {
        let rows = [(0, 1, 1.0), (0, 1, 1.0), (0, 2, 1.0), (2, 0, 1.0), (0, 2, 1.0), (1, 1, 3.0), (1, 1, 3.0)];
        let once = [(0, 1, 1.0), (0, 2, 1.0), (1, 1, 3.0)];
        for repeated in [Repeated::Agree, Repeated::First, Repeated::Max] {
            assert_eq!(resolved(&rows, Kind::Edges, by(repeated)).unwrap(), (once.to_vec(), 4));
        }
        let sums = vec![(0, 1, 2.0), (0, 2, 3.0), (1, 1, 6.0)];
        assert_eq!(resolved(&rows, Kind::Edges, by(Repeated::Sum)).unwrap(), (sums, 4));
        let message = resolved(&rows, Kind::Edges, by(Repeated::Error)).unwrap_err().to_string();
        assert_eq!(message, "f:2: the edge from 'a' to 'b' has weight 1, but 1 in line 1; no edge may be repeated");
        let overflow =
            resolved(&[(0, 1, 1e308), (0, 1, 1e308)], Kind::Arcs, by(Repeated::Sum)).unwrap_err().to_string();
        assert!(overflow.ends_with("their sum overflows"), "{overflow}");
    }

    #[test]
    fn two_copies_of_a_list_in_both_directions_are_one_repetition_an_edge() {
        let rows = [(0, 1, 1.0), (1, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0)];
        assert_eq!(resolved(&rows, Kind::Edges, by(Repeated::Sum)).unwrap(), (vec![(0, 1, 2.0)], 1));
    }

    #[test]
    fn weights_that_disagree_need_a_decision() {
        let rows = [(0, 1, 2.0), (0, 1, 3.0)];
        let value = |reading| resolved(&rows, Kind::Edges, reading).unwrap().0[0].2;
        assert_eq!([Repeated::Sum, Repeated::First, Repeated::Max].map(|r| value(by(r))), [5.0, 2.0, 3.0]);
        let message = resolved(&rows, Kind::Edges, Reading::default()).unwrap_err().to_string();
        let expected =
            "f:2: the edge from 'a' to 'b' has weight 3, but 2 in line 1; --repeated sum, first or max decides";
        assert_eq!(message, expected);
    }

    #[test]
    fn opposite_rows_that_disagree_are_two_arcs_or_their_mean() {
        let rows = [(0, 1, 2.0), (1, 0, 3.0)];
        assert_eq!(resolved(&rows, Kind::Arcs, Reading::default()).unwrap(), (vec![(0, 1, 2.0), (1, 0, 3.0)], 0));
        let symmetrize = Reading { symmetrize: true, ..Reading::default() };
        assert_eq!(resolved(&rows, Kind::Edges, symmetrize.clone()).unwrap(), (vec![(0, 1, 2.5)], 0));
        assert_eq!(resolved(&rows[..1], Kind::Edges, symmetrize).unwrap(), (vec![(0, 1, 2.0)], 0));
        let message = resolved(&rows, Kind::Edges, Reading::default()).unwrap_err().to_string();
        assert!(message.contains("from 'b' to 'a' has weight 3, but 2 in line 1; --directed reads arcs"), "{message}");
    }

    #[test]
    fn arcs_of_a_graph_come_sorted() {
        let edges = [(0, 2, 1.0), (0, 3, 2.0), (1, 1, 3.0), (1, 3, 4.0), (3, 3, 5.0)];
        let arcs = in_both_directions(4, &edges);
        assert!(arcs.is_sorted_by_key(|&(i, j, _)| (i, j)));
        assert_eq!(Graph::directed(4, arcs).unwrap(), Graph::undirected(4, edges).unwrap());
    }
}
