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

/// Of so many stems names such as `m123` are found by their number alone.
const MOST_STEMS: usize = 4;

/// Numbers up to `ROOM` + `ROOM_FOR_EACH`·names have a place: four bytes each, so 128 bytes a name at most.
const ROOM: usize = 1 << 16;
const ROOM_FOR_EACH: usize = 8;

/// The vertices called by one stem and a number behind it: `7`, `m7`, `ENSP00000000007`.
struct Numbered {
    stem: String,
    /// By number the vertex + 1, or 0 where there is none.
    places: Vec<u32>,
}

impl Numbered {
    /// Byte by byte: stems are short, most of them empty, and the C library takes hundreds of cycles to compare what
    /// has no address.
    fn is_of(&self, stem: &str) -> bool {
        self.stem.len() == stem.len() && self.stem.bytes().zip(stem.bytes()).all(|(a, b)| a == b)
    }

    fn get(&self, number: usize) -> Option<usize> {
        self.places.get(number).and_then(|&place| (place as usize).checked_sub(1))
    }
}

/// The stem and the number of a name that ends with at most nine digits: `m07` is `m0` and 7, so that no other name has
/// both.
fn stem_and_number(name: &str) -> Option<(&str, usize)> {
    let bytes = name.as_bytes();
    let digits = bytes.iter().rev().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..10).contains(&digits) {
        return None;
    }
    let mut at = bytes.len() - digits;
    while bytes[at] == b'0' && at + 1 < bytes.len() {
        at += 1;
    }
    let number = bytes[at..].iter().fold(0, |number, byte| 10 * number + usize::from(byte - b'0'));
    Some((&name[..at], number))
}

/// The vertices that have been named, each with the next number.
///
/// Most large files call their vertices by numbers; a place for each number takes a fraction of the memory of a table
/// of names, and is found in the cache where that is not.
#[derive(Default)]
pub(super) struct Vertices {
    names: Vec<String>,
    numbered: Vec<Numbered>,
    /// Names that are not in `numbered`, and some that are.
    short: HashTable<Short>,
    /// The places in `names` of those that are longer.
    long: HashTable<usize>,
    hasher: DefaultHashBuilder,
}

impl Vertices {
    /// The vertex called `name`, which is new if it was not there.
    pub fn vertex(&mut self, name: &str) -> usize {
        let numbered = stem_and_number(name);
        if let Some(vertex) = numbered.and_then(|(stem, number)| self.get_numbered(stem, number)) {
            return vertex;
        }
        let known = self.get_hashed(name);
        let vertex = known.unwrap_or(self.names.len());
        if known.is_none() {
            self.names.push(name.to_string());
        }
        // A name may have come before there was room for its number.
        let is_placed = numbered.is_some_and(|(stem, number)| self.place(stem, number, vertex));
        if known.is_none() && !is_placed {
            self.insert_hashed(vertex);
        }
        vertex
    }

    /// The vertex called `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<usize> {
        let numbered = stem_and_number(name).and_then(|(stem, number)| self.get_numbered(stem, number));
        numbered.or_else(|| self.get_hashed(name))
    }

    fn get_numbered(&self, stem: &str, number: usize) -> Option<usize> {
        self.numbered.iter().find(|numbered| numbered.is_of(stem))?.get(number)
    }

    /// Gives the vertex the place of its number, if there is room.
    fn place(&mut self, stem: &str, number: usize, vertex: usize) -> bool {
        let Ok(place) = u32::try_from(vertex + 1) else { return false };
        if number > ROOM + ROOM_FOR_EACH * self.names.len() {
            return false;
        }
        let numbered = match self.numbered.iter().position(|numbered| numbered.is_of(stem)) {
            Some(k) => &mut self.numbered[k],
            None if self.numbered.len() < MOST_STEMS => {
                self.numbered.push(Numbered { stem: stem.to_string(), places: vec![] });
                self.numbered.last_mut().expect("one was pushed")
            }
            None => return false,
        };
        if numbered.places.len() <= number {
            numbered.places.resize(number + 1, 0);
        }
        numbered.places[number] = place;
        true
    }

    fn get_hashed(&self, name: &str) -> Option<usize> {
        let hash = self.hasher.hash_one(name.as_bytes());
        if name.len() <= SHORT {
            self.short.find(hash, |entry| entry.is(name)).map(|entry| entry.vertex)
        } else {
            self.long.find(hash, |&vertex| self.names[vertex] == name).copied()
        }
    }

    fn insert_hashed(&mut self, vertex: usize) {
        let Vertices { names, short, long, hasher, .. } = self;
        let name = &names[vertex];
        let hash = hasher.hash_one(name.as_bytes());
        if name.len() <= SHORT {
            let mut bytes = [0; SHORT];
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            let entry = Short { bytes, length: name.len() as u8, vertex };
            short.insert_unique(hash, entry, |entry| hasher.hash_one(&entry.bytes[..usize::from(entry.length)]));
        } else {
            long.insert_unique(hash, vertex, |&vertex| hasher.hash_one(names[vertex].as_bytes()));
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
    fn a_name_is_a_stem_and_a_number_in_one_way() {
        for (name, expected) in [
            ("7", Some(("", 7))),
            ("07", Some(("0", 7))),
            ("0", Some(("", 0))),
            ("00", Some(("0", 0))),
            ("m120", Some(("m", 120))),
            ("é9", Some(("é", 9))),
            ("a999999999", Some(("a", 999_999_999))),
            ("a1234567890", None),
            ("m", None),
            ("", None),
            ("7m", None),
        ] {
            assert_eq!(stem_and_number(name), expected, "{name}");
        }
    }

    #[test]
    fn numbers_beyond_the_room_and_many_stems_are_vertices_as_well() {
        let mut vertices = Vertices::default();
        // Out of order, so that the room grows over names that came before it did; five stems; zeros before numbers.
        let name = |k: usize| match k % 7 {
            0 => format!("{}", (k * 7919) % 1_000_003),
            1 => format!("0{k}"),
            stem @ 2..=5 => format!("{}{k}", ["m", "f", "x0", "y"][stem - 2]),
            _ => format!("{}", 4_000_000_000u64 + k as u64),
        };
        (0..50_000).for_each(|k| assert_eq!(vertices.vertex(&name(k)), k));
        (0..50_000).for_each(|k| assert_eq!((vertices.vertex(&name(k)), vertices.get(&name(k))), (k, Some(k))));
        assert_eq!((vertices.get("m1"), vertices.get("m02"), vertices.names().len()), (None, None, 50_000));
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
