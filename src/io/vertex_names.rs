//! Which of several attributes of the nodes in a file are their names.

use super::vertices::Vertices;

/// An attribute of the nodes, as long as every node has it and no two the same.
pub(super) struct Names {
    distinct: Option<Vertices>,
    found: bool,
}

impl Default for Names {
    fn default() -> Self {
        Names { distinct: Some(Vertices::default()), found: false }
    }
}

impl Names {
    /// The attribute of the next node.
    pub fn push(&mut self, name: Option<&str>) {
        let name = name.filter(|name| !name.is_empty());
        self.found |= name.is_some();
        let Some(vertices) = &mut self.distinct else { return };
        let is_new = name.is_some_and(|name| {
            let count = vertices.names().len();
            vertices.vertex(name) == count
        });
        if !is_new {
            self.distinct = None;
        }
    }
}

/// Whether ids are such as programs make: numbers, or numbers behind an `n`.
pub(super) fn are_generated(ids: &[String]) -> bool {
    let digits = |id: &String| id.strip_prefix('n').unwrap_or(id).bytes().all(|byte| byte.is_ascii_digit());
    ids.iter().all(digits)
}

/// The first attribute that names every node and no two alike, else the ids; and a word where an attribute was found
/// that does not.
pub(super) fn chosen<const K: usize>(
    ids: Vec<String>,
    attributes: [(&str, Names); K],
) -> (Vec<String>, Option<String>) {
    let mut note = None;
    for (attribute, names) in attributes {
        match names.distinct {
            Some(vertices) if vertices.names().len() == ids.len() && !ids.is_empty() => {
                return (vertices.into_names(), note);
            }
            _ if names.found => {
                let cause = "is missing in some nodes or the same in two";
                note.get_or_insert_with(|| format!("vertices go by other names than `{attribute}`, which {cause}"));
            }
            _ => {}
        }
    }
    (ids, note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(attribute: &[Option<&str>]) -> Names {
        let mut names = Names::default();
        attribute.iter().for_each(|name| names.push(*name));
        names
    }

    #[test]
    fn ids_of_programs_are_numbers() {
        let all = |ids: &[&str]| are_generated(&ids.iter().map(|id| id.to_string()).collect::<Vec<_>>());
        assert!(all(&["n0", "n1"]) && all(&["62", "64"]) && !all(&["n0", "anna"]));
    }

    #[test]
    fn the_first_attribute_that_names_all_is_chosen() {
        let ids = || vec!["0".to_string(), "1".to_string()];
        let (x, y) = (Some("x"), Some("y"));
        let both = |a: &[Option<&str>], b: &[Option<&str>]| chosen(ids(), [("label", names(a)), ("name", names(b))]);
        assert_eq!(both(&[x, y], &[None, None]), (vec!["x".to_string(), "y".to_string()], None));
        let (found, note) = both(&[x, x], &[y, x]);
        assert_eq!(found, ["y", "x"]);
        assert!(note.unwrap().contains("other names than `label`"));
        assert_eq!(both(&[x, None], &[None, None]).0, ids());
        assert_eq!(both(&[x, Some("")], &[None, None]).0, ids());
        assert_eq!(both(&[None, None], &[None, None]), (ids(), None));
    }
}
