//! Which columns of a table hold the ends of an edge and its weight; and whether the first line is a header at all.

use super::fields::{Field, Separator, fields, sample, split_dictionary};
use super::text::{lines, shown};
use crate::error::{Error, Result};
use std::path::Path;

/// The columns of a table of edges.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    /// Fields of a row.
    pub width: usize,
    pub source: usize,
    pub target: usize,
    pub weight: Option<usize>,
    /// The column that may say `Directed` or `Undirected`.
    pub direction: Option<usize>,
    /// How sure it is that these are the ends.
    pub sure: Sure,
    /// What a person should know: which columns are read, which are not.
    pub note: String,
}

/// What the first line of an edge list is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Header {
    /// An edge.
    None,
    /// A header, with its line if it is a line of data rather than a comment: these are the columns.
    Certain(Option<usize>, Columns),
    /// A header if its two names are no vertices in other lines.
    IfUnseen(Sure),
    /// A header if all other names are integers.
    IfAboveIntegers,
}

/// Words for the two ends of an edge, either alone or with something before or behind: `source`, `node_from`,
/// `sourceId`.
const ENDS: [(&str, &str); 20] = [
    ("source", "target"),
    ("from", "to"),
    ("src", "dst"),
    ("src", "dest"),
    ("src", "tgt"),
    ("start", "end"),
    ("tail", "head"),
    ("head", "tail"),
    ("sender", "receiver"),
    ("sender", "recipient"),
    ("origin", "destination"),
    ("orig", "dest"),
    ("presynaptic", "postsynaptic"),
    ("pre", "post"),
    ("citing", "cited"),
    ("parent", "child"),
    ("subject", "object"),
    ("follower", "followee"),
    ("row", "column"),
    ("row", "col"),
];

/// What tells two columns of the same kind apart when it stands at their ends: `node1`, `Interactor A`.
const MARKS: [(&str, &str); 7] = [("1", "2"), ("a", "b"), ("0", "1"), ("i", "j"), ("x", "y"), ("u", "v"), ("p", "q")];

/// What such columns are columns of.
const KINDS: [&str; 22] = [
    "node",
    "vertex",
    "protein",
    "gene",
    "interactor",
    "neuron",
    "cell",
    "entity",
    "element",
    "actor",
    "author",
    "user",
    "person",
    "species",
    "region",
    "symbol",
    "name",
    "id",
    "item",
    "object",
    "accession",
    "uniprot",
];

/// Names of weights, the likeliest first.
const WEIGHTS: [&str; 26] = [
    "weight",
    "weights",
    "edgeweight",
    "combinedscore",
    "w",
    "wt",
    "score",
    "strength",
    "value",
    "confidence",
    "similarity",
    "correlation",
    "corr",
    "count",
    "counts",
    "n",
    "number",
    "nsyn",
    "syncount",
    "synapses",
    "synapsecount",
    "nbr",
    "frequency",
    "freq",
    "amount",
    "rating",
];

/// How sure it is that two names are those of the ends in a header.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Sure {
    /// `u` and `v`, `x1` and `x2`: vertices may be called so.
    Weakly,
    /// `protein1` and `protein2`: vertices of a small graph may.
    Quite,
    /// `source` and `target`.
    Entirely,
}

/// What the first line of `text` is.
///
/// # Errors
/// [`Error::Parse`] when it is a header that does not say which columns are the ends, or a line that cannot be split.
pub(super) fn header(source: &Path, text: &str, separator: Separator) -> Result<Header> {
    let mut data = sample(text);
    let Some((line, first)) = data.next() else { return Ok(Header::None) };
    if split_dictionary(first).1.is_some() {
        return Ok(Header::None);
    }
    let head = fields(source, line, first, separator)?;
    let below: Vec<Vec<Field>> = data.filter_map(|(line, row)| fields(source, line, row, separator).ok()).collect();
    let names: Vec<String> = head.iter().map(|field| plain(&field.text)).collect();
    let quoted = head.iter().filter(|field| field.quoted).count();
    // A name in quotes beside one without is how a list protects a vertex that is called like a column.
    let protected = quoted > 0 && quoted < head.len() && head.len() <= 3 && !head[0].is_missing();
    let are_names = head.len() > 1 && !protected && head.iter().take(2).all(|field| !is_integer(&field.text));
    // R leaves out the name of the column with the names of the rows.
    let shift = usize::from(!below.is_empty() && below.iter().all(|row| row.len() == head.len() + 1));
    let found = ends(&names).filter(|_| are_names);
    let certain = |ends| Ok(Header::Certain(Some(line), columns(&head, &names, ends, shift, &below)));
    let quite = |sure: Sure| sure >= Sure::Quite;

    match (head.len(), found) {
        (4.., Some(ends)) if head.iter().all(|field| !field.is_number()) => certain(ends),
        (3.., Some(ends)) if quite(ends.1) && !head[2].is_number() => certain(ends),
        (2.., Some(ends)) if quite(ends.1) && shift == 1 && counts_rows(&below) => certain(ends),
        (3, _) if !head[2].is_number() && are_names && is_header_of_numbers(&head, &below) => {
            certain(((0, 1), Sure::Weakly))
        }
        (2, Some((_, sure))) if quite(sure) => Ok(Header::IfUnseen(sure)),
        (2, _) if are_names => Ok(Header::IfAboveIntegers),
        (4.., _) => match commented(source, text, line, &head, separator) {
            Some(columns) => Ok(Header::Certain(None, columns)),
            None if head.iter().all(|field| !field.is_number()) => Err(unclear(source, line, &head)),
            None => Ok(Header::None),
        },
        _ => Ok(Header::None),
    }
}

/// A header that is commented out, as STRING and BioGRID have it: the last line before the data.
fn commented(source: &Path, text: &str, line: usize, first: &[Field], separator: Separator) -> Option<Columns> {
    let (line, above) = lines(text).nth(line.checked_sub(2)?)?;
    let head = fields(source, line, above.trim_start().trim_start_matches(['#', '%']), separator).ok()?;
    let names: Vec<String> = head.iter().map(|field| plain(&field.text)).collect();
    let ends = ends(&names).filter(|_| head.len() == first.len())?;
    Some(columns(&head, &names, ends, 0, std::slice::from_ref(&first.to_vec())))
}

/// So many columns are listed in a message.
const LISTED: usize = 12;

fn unclear(source: &Path, line: usize, head: &[Field]) -> Error {
    let listed: Vec<String> = head.iter().take(LISTED).map(|field| shown(&field.text)).collect();
    let more = if head.len() > LISTED { ", ..." } else { "" };
    let cause = format!("a table whose columns {}{more} do not say which are the ends of an edge", listed.join(", "));
    Error::parse(source, line, cause + ": call them source, target and weight")
}

/// Lower case, letters and digits only: `Node 1` and `node_1` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

pub(super) fn is_integer(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The columns of the ends: the first pair of those that are surest.
fn ends(names: &[String]) -> Option<((usize, usize), Sure)> {
    let pairs = || (0..names.len()).flat_map(|i| (0..names.len()).map(move |j| (i, j)));
    let found = |sure: Sure| pairs().find(|&(i, j)| pair(&names[i], &names[j]) == Some(sure)).map(|ends| (ends, sure));
    [Sure::Entirely, Sure::Quite, Sure::Weakly].into_iter().find_map(found)
}

fn pair(a: &str, b: &str) -> Option<Sure> {
    let differ_by = |(one, other): (&str, &str)| {
        let before = a.strip_suffix(one).zip(b.strip_suffix(other)).filter(|(a, b)| a == b);
        let behind = a.strip_prefix(one).zip(b.strip_prefix(other)).filter(|(a, b)| a == b);
        before.or(behind).map(|(stem, _)| stem)
    };
    if ENDS.into_iter().any(|ends| differ_by(ends).is_some()) {
        return Some(Sure::Entirely);
    }
    let mark = |(one, other): &(&str, &str)| a.ends_with(one) && b.ends_with(other);
    let stem = MARKS.into_iter().filter(mark).find_map(|ends| differ_by(ends).map(str::to_string))?;
    let known = KINDS.into_iter().any(|kind| stem.ends_with(kind));
    Some(if known { Sure::Quite } else { Sure::Weakly })
}

/// The weight's column by its name; failing that, the only other column if it holds numbers.
fn columns(
    head: &[Field],
    names: &[String],
    ((source, target), sure): ((usize, usize), Sure),
    shift: usize,
    below: &[Vec<Field>],
) -> Columns {
    let others: Vec<usize> =
        (0..head.len()).filter(|&k| k != source && k != target && !is_index(&names[k], k)).collect();
    let holds_numbers =
        |k: usize| !below.is_empty() && below.iter().all(|row| row.get(k + shift).is_some_and(Field::is_number));
    let by_name = WEIGHTS.into_iter().find_map(|name| others.iter().copied().find(|&k| names[k] == name));
    let weight = by_name.or(match others[..] {
        [only] if holds_numbers(only) => Some(only),
        _ => None,
    });
    let says_direction = |k: usize| {
        let values = below.first().and_then(|row| row.get(k + shift)).map(|field| direction(&field.text));
        matches!(names[k].as_str(), "type" | "directed") && values.flatten().is_some()
    };
    let directed = others.iter().copied().find(|&k| says_direction(k));
    let name = |k: usize| shown(&head[k].text);
    let mut note = format!("a table with the ends in columns {} and {}", name(source), name(target));
    match weight {
        Some(weight) => note += &format!(", weights in {}", name(weight)),
        None => note += ", no weights",
    }
    let unread: Vec<String> =
        others.into_iter().filter(|&k| Some(k) != weight && Some(k) != directed).map(name).collect();
    match unread.len() {
        0 => {}
        count @ 1..=6 => note += &format!("; {} {} not read", unread.join(", "), if count == 1 { "is" } else { "are" }),
        count => note += &format!("; {count} others are not read"),
    }
    Columns {
        width: head.len() + shift,
        source: source + shift,
        target: target + shift,
        weight: weight.map(|k| k + shift),
        direction: directed.map(|k| k + shift),
        sure,
        note,
    }
}

/// The first column without a name numbers the rows: pandas and R write it.
fn is_index(name: &str, column: usize) -> bool {
    column == 0 && (name.is_empty() || name.starts_with("unnamed") || name == "index")
}

/// Whether a value of Gephi's column `Type`, or of one called `directed`, says that an edge is directed.
pub(super) fn direction(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "directed" | "true" => Some(true),
        "undirected" | "false" | "mutual" => Some(false),
        _ => None,
    }
}

/// Whether the rows `"1" u v` begin with their numbers 0, 1, … or 1, 2, …, and do not end with a weight.
fn counts_rows(below: &[Vec<Field>]) -> bool {
    let counts = |start: usize| below.iter().enumerate().all(|(k, row)| row[0].text == (start + k).to_string());
    (counts(0) || counts(1)) && below.iter().all(|row| row[0].quoted || !row[2].is_number())
}

/// Whether words stand above rows `u v 2.5` in which their first two are no vertices.
fn is_header_of_numbers(head: &[Field], below: &[Vec<Field>]) -> bool {
    let is_vertex = |name: &Field| below.iter().any(|row| row.iter().take(2).any(|field| field.text == name.text));
    !below.is_empty()
        && below.iter().all(|row| row.len() == 3 && row[2].is_number())
        && !head.iter().take(2).any(is_vertex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(text: &str) -> Header {
        header(Path::new("f"), text, Separator::of(text)).unwrap()
    }

    fn places(text: &str) -> (usize, usize, usize, Option<usize>, Option<usize>) {
        match header_of(text) {
            Header::Certain(_, columns) => {
                let Columns { width, source, target, weight, direction, .. } = columns;
                (width, source, target, weight, direction)
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn the_usual_names_of_columns_are_known_in_any_case_and_order() {
        for (text, found) in [
            ("source,target,weight\n0,1,2", (3, 0, 1, Some(2), None)),
            ("weight;Target;SOURCE\n2;0;1", (3, 2, 1, Some(0), None)),
            ("protein1 protein2 combined_score\n9606.A 9606.B 700", (3, 0, 1, Some(2), None)),
            ("From,To,Weight\na,b,1", (3, 0, 1, Some(2), None)),
            ("Source,Target,Type,Id,Label,timeset,Weight\n0,4,Undirected,0,,,7", (7, 0, 1, Some(6), Some(2))),
            ("\tsource\ttarget\tweight\n0\t0\t4\t7", (4, 1, 2, Some(3), None)),
            ("\"\",\"node1\",\"node2\"\n\"1\",\"a\",\"b\"", (3, 1, 2, None, None)),
            ("source target\n1 a b\n2 b c", (3, 1, 2, None, None)),
            ("\"from\" \"to\"\n\"1\" 7 5\n\"2\" 5 3", (3, 1, 2, None, None)),
            ("Neuron 1,Neuron 2,Type,Nbr\nADAL,AVAL,EJ,2", (4, 0, 1, Some(3), None)),
            ("pre_pt_root_id,post_pt_root_id,n_syn\n1,2,3", (3, 0, 1, Some(2), None)),
            ("bodyId_pre,bodyId_post,roi,w\n1,2,x,3", (4, 0, 1, Some(3), None)),
            ("source\tinteraction\ttarget\na\tpp\tb", (3, 0, 2, None, None)),
            ("gene_a,gene_b,pcc\nx,y,0.5", (3, 0, 1, Some(2), None)),
            ("gene_a,gene_b,pcc,p_value\nx,y,0.5,0.01", (4, 0, 1, None, None)),
            ("Buyer,Seller,Volume\nanna,bert,5", (3, 0, 1, Some(2), None)),
            ("u,v,w\n1,2,3", (3, 0, 1, Some(2), None)),
            ("#ID Interactor A\tID Interactor B\tAlt\tscore\nx\ty\t-\t1", (4, 0, 1, Some(3), None)),
        ] {
            assert_eq!(places(text), found, "{text}");
        }
    }

    #[test]
    fn what_is_no_header_is_an_edge() {
        for text in [
            "a b\nb c",
            "0 1 5\n1 2 3",
            "source target 5\na b 3",
            "a b {}\n",
            "x y heavy\nx z 2",
            "x y heavy\nz w light",
            "1 2 heavy\n3 4 2",
            "\"source\" target\n1 2",
            "7",
            "",
        ] {
            let found = header_of(text);
            assert!(matches!(found, Header::None | Header::IfAboveIntegers), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn two_names_are_a_header_by_what_stands_below() {
        for text in [
            "source target\na b",
            "From,To\nx,y",
            "\"from\",\"to\"\n1,2",
            "node1 node2\n1 2",
            "# x\ngeneA geneB\nx y",
            "from to\n1 7 5",
        ] {
            assert!(matches!(header_of(text), Header::IfUnseen(_)), "{text}");
        }
        for text in ["anna bert\n1 2", "u v\n1 2", "x1 x2\nx3 x4"] {
            assert_eq!(header_of(text), Header::IfAboveIntegers, "{text}");
        }
    }

    #[test]
    fn a_table_that_does_not_name_its_ends_is_refused_with_its_columns() {
        let message = header(Path::new("f"), "buyer,seller,day,sum\na,b,1,2", Separator::Only(b',')).unwrap_err();
        assert_eq!(
            message.to_string(),
            "f:1: a table whose columns 'buyer', 'seller', 'day', 'sum' do not say which are the ends of an edge: \
             call them source, target and weight"
        );
        assert_eq!(header_of("1 2 3 4\n"), Header::None);
    }

    #[test]
    fn what_is_read_and_what_is_not_is_said() {
        let Header::Certain(line, columns) = header_of("# c\nSource,Target,Type,Id,Label,Weight\n0,4,Directed,0,,7")
        else {
            panic!("a header")
        };
        assert_eq!(line, Some(2));
        assert_eq!(
            columns.note,
            "a table with the ends in columns 'Source' and 'Target', weights in 'Weight'; 'Id', 'Label' are not read"
        );
    }
}
