//! What readers collect: vertices by name, and edges of which none may contradict another.

use super::NamedGraph;
use super::text::{number, shown};
use crate::error::{Error, Result};
use crate::graph::Graph;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

/// Vertex names in order of first appearance.
#[derive(Default)]
pub(super) struct Vertices {
    names: Vec<String>,
    index: HashMap<String, usize>,
}

impl Vertices {
    /// The vertex called `name`, which is new if it was not there.
    pub fn vertex(&mut self, name: &str) -> usize {
        if let Some(&vertex) = self.index.get(name) {
            return vertex;
        }
        let vertex = self.names.len();
        self.names.push(name.to_string());
        self.index.insert(name.to_string(), vertex);
        vertex
    }

    pub fn get(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// Edges by their end points, each with its weight and its line.
pub(super) struct Edges<'s> {
    source: &'s Path,
    directed: bool,
    edges: HashMap<(usize, usize), (f64, usize)>,
}

impl<'s> Edges<'s> {
    pub fn new(source: &'s Path, directed: bool) -> Self {
        Edges { source, directed, edges: HashMap::new() }
    }

    /// The edge or arc from i to j. Once more with the same weight changes nothing: many files list an
    /// undirected edge in both directions. With another weight one of the two lines is wrong.
    pub fn add(
        &mut self,
        line: usize,
        (i, j): (usize, usize),
        weight: f64,
        name: impl Fn(usize) -> String,
    ) -> Result<()> {
        let ends = if self.directed || i <= j { (i, j) } else { (j, i) };
        match self.edges.entry(ends) {
            Entry::Vacant(free) => {
                free.insert((weight, line));
                Ok(())
            }
            Entry::Occupied(old) if old.get().0 == weight => Ok(()),
            Entry::Occupied(old) => {
                let (old_weight, old_line) = *old.get();
                let what = if self.directed { "arc" } else { "edge" };
                let (u, v) = (shown(&name(i)), shown(&name(j)));
                let (new, old) = (number(weight), number(old_weight));
                let cause = format!("the {what} from {u} to {v} has weight {new}, but {old} in line {old_line}");
                Err(Error::parse(self.source, line, cause))
            }
        }
    }

    /// The graph on n vertices, vertex i being called `label(i)`.
    pub fn into_graph(self, n: usize, label: impl Fn(usize) -> usize) -> Result<Graph> {
        let edges = self.edges.into_iter().map(|((i, j), (weight, _))| (label(i), label(j), weight));
        if self.directed { Graph::directed(n, edges) } else { Graph::undirected(n, edges) }
    }
}

/// `named`, unless it has no vertex, or an undirected graph was wanted and it is none.
pub(super) fn accept(source: &Path, named: NamedGraph, directed: bool) -> Result<NamedGraph> {
    if named.names.is_empty() {
        return Err(Error::file(source, "the graph has no vertex"));
    }
    if directed || named.graph.is_symmetric() {
        return Ok(named);
    }
    let graph = &named.graph;
    let Some((i, j, weight)) = graph.arcs().find(|&(i, j, weight)| graph.weight(j, i) != weight) else {
        return Ok(named);
    };
    let (u, v) = (shown(&named.names[i]), shown(&named.names[j]));
    let (there, back) = (number(weight), number(graph.weight(j, i)));
    let cause = format!("not an undirected graph: the weight from {u} to {v} is {there}, but {back} from {v} to {u}");
    Err(Error::file(source, cause + "; --directed reads it as a directed graph"))
}
