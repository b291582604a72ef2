//! Graphs whose vertices have names.

use super::text::shown;
use crate::error::{Error, Result};
use crate::graph::Graph;
use std::collections::HashMap;

/// A graph whose vertices have names, as files give them.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedGraph {
    /// The graph.
    pub graph: Graph,
    /// `names[i]` is the name of vertex i. All differ.
    pub names: Vec<String>,
}

impl NamedGraph {
    /// `graph` with the given names.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one name a vertex, [`Error::Argument`] when two are equal. O(n).
    pub fn new(graph: Graph, names: Vec<String>) -> Result<Self> {
        let n = graph.vertex_count();
        if names.len() != n {
            return Err(Error::shape("vertex names", n.to_string(), names.len().to_string()));
        }
        let named = NamedGraph { graph, names };
        if named.indices().len() < n {
            let mut seen = HashMap::new();
            let twice = named.names.iter().find(|name| seen.insert(name.as_str(), ()).is_some());
            let twice = twice.map_or(String::new(), |name| shown(name));
            return Err(Error::argument("names", format!("two vertices are called {twice}")));
        }
        Ok(named)
    }

    /// `graph` with the names "0", …, "n−1".
    pub fn numbered(graph: Graph) -> Self {
        let names = (0..graph.vertex_count()).map(|i| i.to_string()).collect();
        NamedGraph { graph, names }
    }

    /// The vertex called `name`. O(n); for many names build [`NamedGraph::indices`] once.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// The vertex of each name. O(n) to build, O(1) a look-up.
    pub fn indices(&self) -> HashMap<&str, usize> {
        self.names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_and_must_differ() {
        let graph = Graph::undirected(2, [(0, 1, 1.0)]).unwrap();
        let named = NamedGraph::new(graph.clone(), vec!["x".into(), "y".into()]).unwrap();
        assert_eq!((named.index_of("y"), named.index_of("z")), (Some(1), None));
        assert_eq!(named.indices()["y"], 1);
        assert_eq!(NamedGraph::numbered(graph.clone()).names, ["0", "1"]);
        let twice = NamedGraph::new(graph.clone(), vec!["x".into(), "x".into()]).unwrap_err();
        assert_eq!(twice.to_string(), "names: two vertices are called 'x'");
        assert!(NamedGraph::new(graph, vec![]).unwrap_err().to_string().contains("expected 2, got 0"));
    }
}
