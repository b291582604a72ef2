//! Adjacency lists, which look like edge lists and are none: a line is a vertex and its neighbours.

use super::fields::{Separator, fields, is_blank};
use super::text::lines;
use std::collections::HashSet;
use std::path::Path;

/// Which adjacency list `text` seems to be, if it does.
///
/// METIS: a line `n m`, then as many lines as vertices with 2m neighbours in all. networkx: every vertex begins exactly
/// one line, and there are lines of different lengths, of three names at least one. O(bytes).
pub(super) fn adjacency_list(text: &str) -> Option<&'static str> {
    if is_metis(text) {
        return Some("a METIS graph (a line `vertices edges`, then the neighbours of each vertex)");
    }
    let mut first_names = HashSet::new();
    let mut lengths = HashSet::new();
    let mut others = Vec::new();
    for (line, content) in lines(text).filter(|(_, line)| !is_blank(line)) {
        let fields = fields(Path::new(""), line, content, Separator::Any).ok()?;
        let mut names = fields.into_iter().map(|field| field.text);
        if !first_names.insert(names.next()?) {
            return None;
        }
        let before = others.len();
        others.extend(names);
        lengths.insert(others.len() - before);
    }
    let is_list = lengths.len() > 1
        && lengths.iter().any(|&length| length >= 2)
        && others.iter().all(|name| first_names.contains(name));
    is_list.then_some("an adjacency list (a line is a vertex and its neighbours)")
}

fn is_metis(text: &str) -> bool {
    let numbers =
        |line: &str| line.split_whitespace().map(|word| word.parse::<usize>().ok()).collect::<Option<Vec<_>>>();
    let mut data = text.lines().filter(|line| !line.starts_with('%'));
    let Some([n, m]) = data.next().and_then(numbers).and_then(|sizes| <[usize; 2]>::try_from(sizes).ok()) else {
        return false;
    };
    let mut neighbours = 0usize;
    for vertex in 1..=n {
        let Some(line) = data.next().and_then(numbers) else { return false };
        if !line.iter().all(|&other| (1..=n).contains(&other) && other != vertex) {
            return false;
        }
        neighbours += line.len();
    }
    n > 0 && neighbours == m.saturating_mul(2) && data.all(|line| line.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacency_lists_are_told_from_edge_lists() {
        for text in ["0 1 2\n1 2\n2\n", "0 1 2 3\n1\n2\n3\n", "# c\nanna bert carl\nbert\ncarl dora\ndora\n"] {
            assert!(adjacency_list(text).is_some_and(|what| what.starts_with("an adjacency list")), "{text}");
        }
        for text in ["% c\n3 3\n2 3\n1 3\n1 2\n", "4 2\n2\n1 3\n2\n\n", "2 1\n2\n1\n\n\n"] {
            assert!(adjacency_list(text).is_some_and(|what| what.starts_with("a METIS graph")), "{text}");
        }
        for text in [
            "0 1\n1 2\n2 0\n",
            "0 1 2\n1 2 5\n2 0\n",
            "0 1 2\n1 2 0\n2 0 1\n",
            "a b 1\nb c\n",
            "5 5\n1 2\n2 3\n3 4\n4 5\n1 5\n",
            "4 3\n2\n1 3\n2\n\n",
            "",
        ] {
            assert_eq!(adjacency_list(text), None, "{text}");
        }
    }
}
