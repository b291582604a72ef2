//! Vertices by their names, in order of first appearance.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Names of up to as many bytes are kept in the table itself: most are short, and then finding one costs one access to
/// memory instead of three, which is what reading millions of edges waits for.
const SHORT: usize = 23;

#[derive(Clone, Copy)]
struct Short {
    bytes: [u8; SHORT],
    length: u8,
    vertex: usize,
}

impl Short {
    fn is(&self, name: &str) -> bool {
        self.bytes[..usize::from(self.length)] == *name.as_bytes()
    }
}

/// The vertices that have been named, each with the next number.
#[derive(Default)]
pub(super) struct Vertices {
    names: Vec<String>,
    short: HashTable<Short>,
    /// The places in `names` of those that are longer.
    long: HashTable<usize>,
    hasher: DefaultHashBuilder,
}

impl Vertices {
    /// The vertex called `name`, which is new if it was not there.
    pub fn vertex(&mut self, name: &str) -> usize {
        if let Some(vertex) = self.get(name) {
            return vertex;
        }
        let vertex = self.names.len();
        self.names.push(name.to_string());
        let Vertices { names, short, long, hasher } = self;
        let hash = hasher.hash_one(name.as_bytes());
        if name.len() <= SHORT {
            let mut bytes = [0; SHORT];
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            let entry = Short { bytes, length: name.len() as u8, vertex };
            short.insert_unique(hash, entry, |entry| hasher.hash_one(&entry.bytes[..usize::from(entry.length)]));
        } else {
            long.insert_unique(hash, vertex, |&vertex| hasher.hash_one(names[vertex].as_bytes()));
        }
        vertex
    }

    /// The vertex called `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<usize> {
        let hash = self.hasher.hash_one(name.as_bytes());
        if name.len() <= SHORT {
            self.short.find(hash, |entry| entry.is(name)).map(|entry| entry.vertex)
        } else {
            self.long.find(hash, |&vertex| self.names[vertex] == name).copied()
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn into_names(self) -> Vec<String> {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vertices_are_found_by_name_and_new_ones_get_the_next_number() {
        let mut vertices = Vertices::default();
        // Of 0, 1, 22, 23, 24 and 40 bytes, and some that begin alike.
        let long = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn";
        let names = ["", "x", &long[..22], &long[..23], &long[..24], long, "y", &long[1..24], &long[1..25]];
        for _ in 0..2 {
            let found: Vec<usize> = names.iter().map(|name| vertices.vertex(name)).collect();
            assert!(found.into_iter().eq(0..names.len()));
        }
        assert_eq!((vertices.get("y"), vertices.get("z"), vertices.get(&long[..39])), (Some(6), None, None));
        assert_eq!(vertices.into_names(), names);
    }

    #[test]
    fn many_vertices_are_told_apart() {
        let mut vertices = Vertices::default();
        let name =
            |i: usize| if i.is_multiple_of(3) { format!("a vertex with a long name, {i}") } else { i.to_string() };
        (0..10_000).for_each(|i| assert_eq!(vertices.vertex(&name(i)), i));
        (0..10_000).rev().for_each(|i| assert_eq!(vertices.get(&name(i)), Some(i)));
    }
}
