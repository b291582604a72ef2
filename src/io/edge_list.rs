//! Edge lists: a row an edge, `u v [w]` or the columns that a header names.

use super::adjacency::adjacency_list;
use super::columns::{Columns, Header, direction, header, is_integer};
use super::dictionary::weight_in;
use super::edges::{Kind, Rows};
use super::fields::{Field, Separator, fields_into, in_quotes, quote, split_dictionary};
use super::graph_format::GraphFormat;
use super::listing::{listed_edges, write_summary};
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::text::{decode, finite, lines, number, shown};
use super::vertices::Vertices;
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// Reads an edge list.
///
/// ```text
/// # comments begin with # or %, also behind an edge
/// anna bert          an edge of weight 1
/// bert,carl;2.5      an edge of weight 2.5: separators are spaces, tabs, commas or semicolons
/// "Dr. No"           a vertex without edges (unless it has some elsewhere), here with a space in its name
/// ada eve {'weight': 2}    networkx's dictionaries: the weight is read, the rest is not
/// ```
///
/// Where all first lines have tabs (or commas, or semicolons), these alone part fields: names may have spaces.
///
/// A first line such as `source,target,weight` is a header. It is known by its usual words in any case (`from`/`to`,
/// `node1`/`node2`, `protein1 protein2 combined_score`, Gephi's with its `Type`, an unnamed first column that counts
/// the rows); by words above a column of numbers; by names above integers only. With a header there may be other
/// columns, which are not read, and every row has as many fields. The notes of [`GraphFile`] say what was done.
///
/// A name is any text; `7` and `07` are two names. When all names are integers, the vertices are in ascending
/// numeric order, else in order of first appearance. An edge given in both directions of an undirected list is one
/// edge; other repetitions are counted, and [`Reading::repeated`] says what they mean. Weight 0 is no edge.
///
/// # Errors
/// [`Error::Parse`] with the line: more than three fields, nothing between two commas, a weight that is no finite
/// number, an edge once more with another weight, a negative integer as a vertex (elsewhere a mark of a missing value;
/// in quotes it is a name), a table that does not say which columns are the ends, a first line that states the numbers
/// of vertices and edges, a Matrix Market file, text that is not UTF-8. [`Error::File`] when there is no vertex, or
/// when it is an adjacency list. O(bytes + m log(largest degree)) time, O(bytes) memory.
pub fn parse_edge_list(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = decode(source, bytes)?;
    if text.starts_with("%%MatrixMarket") {
        return Err(Error::parse(source, 1, "a Matrix Market file, not an edge list: --format matrix-market reads it"));
    }
    let separator = Separator::of(&text);
    let header = header(source, &text, separator)?;
    let mut list = List::new(source, separator, &header);
    list.read(&text)?;
    if reading.format.is_none() {
        list.check_meaning(&text)?;
    }
    let (note, no_vertices) = list.settle_header(&header);
    let kind = list.stated_kind().unwrap_or(if reading.directed { Kind::Arcs } else { Kind::Edges });
    let List { vertices, mut rows, .. } = list;
    let mut names = vertices.into_names();
    names.drain(..no_vertices);
    let names = in_order(names, &mut rows);
    let mut file = rows.into_file(source, GraphFormat::EdgeList, kind, names, reading)?;
    file.notes.splice(0..0, note);
    Ok(file)
}

/// An edge list while it is read.
struct List<'s> {
    source: &'s Path,
    separator: Separator,
    /// Columns of a table; rows are `u`, `u v` or `u v w` without.
    table: Option<&'s Columns>,
    /// The line of a header that is certain.
    skipped: usize,
    vertices: Vertices,
    rows: Rows,
    /// The first line of data.
    first_line: usize,
    /// Whether there were rows of one, two, three fields.
    lengths: [bool; 3],
    /// Whether one of the first two names stands alone on a line: then it is no header's.
    lone_among_first: bool,
    /// Whether each row of a table that says so is directed.
    directions: Vec<bool>,
}

impl<'s> List<'s> {
    fn new(source: &'s Path, separator: Separator, header: &'s Header) -> Self {
        let (table, skipped) = match header {
            Header::Certain(line, columns) => (Some(columns), line.unwrap_or(0)),
            _ => (None, 0),
        };
        List {
            source,
            separator,
            table,
            skipped,
            vertices: Vertices::default(),
            rows: Rows::default(),
            first_line: 0,
            lengths: [false; 3],
            lone_among_first: false,
            directions: vec![],
        }
    }

    fn read(&mut self, text: &str) -> Result<()> {
        let mut fields = Vec::new();
        for (line, content) in lines(text).skip(self.skipped) {
            let (content, dictionary) = split_dictionary(content);
            fields_into(&mut fields, self.source, line, content, self.separator)?;
            if fields.is_empty() {
                continue;
            }
            if self.first_line == 0 {
                self.first_line = line;
            }
            match self.table {
                Some(columns) => self.add_row(line, &fields, columns)?,
                None => {
                    self.add_line(line, &fields, dictionary).map_err(|error| self.explained(error, text, &fields))?;
                }
            }
        }
        Ok(())
    }

    fn refuse<T>(&self, line: usize, cause: impl Into<String>) -> Result<T> {
        Err(Error::parse(self.source, line, cause))
    }

    /// A row of a table.
    fn add_row(&mut self, line: usize, fields: &[Field], columns: &Columns) -> Result<()> {
        if fields.len() != columns.width {
            let cause = format!("{} fields, but the header says {}", fields.len(), columns.width);
            return self.refuse(line, cause);
        }
        let ends = (self.vertex(line, fields, columns.source)?, self.vertex(line, fields, columns.target)?);
        let weight = columns.weight.map_or(Ok(1.0), |k| finite(self.source, line, "weight", &fields[k].text))?;
        if let Some(k) = columns.direction {
            match direction(&fields[k].text) {
                Some(directed) => self.directions.push(directed),
                None => {
                    return self.refuse(line, format!("{} is neither directed nor undirected", shown(&fields[k].text)));
                }
            }
        }
        self.rows.add(line, ends, weight);
        Ok(())
    }

    /// `u`, `u v` or `u v w`, or `u v` with a dictionary.
    fn add_line(&mut self, line: usize, fields: &[Field], dictionary: Option<&str>) -> Result<()> {
        let missing = fields.iter().position(|field| field.text.is_empty());
        if let Some(k) = missing {
            return self.refuse(line, format!("field {} is empty", k + 1));
        }
        let weight = match (fields.len(), dictionary) {
            (1, None) => {
                self.lengths[0] = true;
                let vertex = self.vertex(line, fields, 0)?;
                self.lone_among_first |= vertex < 2;
                return Ok(());
            }
            (2, None) => 1.0,
            (2, Some(dictionary)) => match weight_in(dictionary) {
                Ok(weight) => weight.unwrap_or(1.0),
                Err(cause) => return self.refuse(line, cause),
            },
            (3, None) => finite(self.source, line, "weight", &fields[2].text)?,
            (length, _) => {
                let hint = "a name with spaces must be in double quotes, a table with more columns needs a header";
                return self.refuse(line, format!("{length} fields, but a line is `u v [weight]` ({hint})"));
            }
        };
        self.lengths[fields.len() - 1] = true;
        let ends = (self.vertex(line, fields, 0)?, self.vertex(line, fields, 1)?);
        self.rows.add(line, ends, weight);
        Ok(())
    }

    fn vertex(&mut self, line: usize, fields: &[Field], k: usize) -> Result<usize> {
        let name = &fields[k];
        if name.text.is_empty() {
            return self.refuse(line, format!("field {} is empty", k + 1));
        }
        if !name.quoted && is_negative_integer(&name.text) {
            let cause = "is negative: a missing value? A name that looks so must be in double quotes";
            return self.refuse(line, format!("vertex {} {cause}", shown(&name.text)));
        }
        Ok(self.vertices.vertex(&name.text))
    }

    /// An error in a line that has too many fields says so if the file looks like an adjacency list.
    fn explained(&self, error: Error, text: &str, fields: &[Field]) -> Error {
        match adjacency_list(text).filter(|_| fields.len() > 3) {
            Some(what) => Error::file(self.source, format!("looks like {what}, which is not read; write its edges")),
            None => error,
        }
    }

    /// Refuses what can be read line by line but means something else.
    fn check_meaning(&self, text: &str) -> Result<()> {
        let Some((u, v, weight)) = self.rows.first().filter(|_| self.table.is_none()) else { return Ok(()) };
        let [one, two, three] = self.lengths;
        let names = self.vertices.names();
        let sizes = names[u].parse::<usize>().ok().zip(names[v].parse::<usize>().ok());
        if let Some(what) = adjacency_list(text).filter(|_| sizes.is_some() || three && (one || two)) {
            let cause = format!("looks like {what}, which is not read; --format edge-list takes a line for an edge");
            return Err(Error::file(self.source, cause));
        }
        // `n m`, or `n n m` as of a matrix.
        let others = self.rows.len() - 1;
        let count = |(n, m): (usize, usize)| if n == m && weight != 1.0 { weight } else { m as f64 };
        let largest = || names.iter().skip(2).map(|name| name.parse().unwrap_or(usize::MAX)).max().unwrap_or(0);
        let states_sizes = |(n, m)| count((n, m)) == others as f64 && largest() <= n;
        // In a small graph an edge between its last vertices may look so.
        let is_strange = || !self.rows.mentions_later(v) || others > 15;
        if others > 1 && sizes.is_some_and(states_sizes) && is_strange() {
            let cause = "the first line seems to state the numbers of vertices and edges: put a # before it";
            return self.refuse(self.first_line, format!("{cause} (--format edge-list takes it for an edge)"));
        }
        Ok(())
    }

    /// What is to be said about the header. One that was not certain is taken out of the rows if it is one; then the
    /// first two names are no vertices.
    fn settle_header(&mut self, header: &Header) -> (Option<String>, usize) {
        let names = self.vertices.names();
        let are_first = self.rows.first().is_some_and(|(u, v, _)| (u, v) == (0, 1)) && !self.lone_among_first;
        let is_alone = names.len() > 2 && are_first && ![0, 1].iter().any(|&i| self.rows.mentions_later(i));
        let is_header = match header {
            Header::Certain(_, columns) => return (Some(columns.note.clone()), 0),
            Header::None => false,
            Header::IfUnseen(_) => {
                let alike = |name: &String| names[..2].iter().any(|head| are_alike(head, name));
                is_alone && !names[2..].iter().any(alike)
            }
            Header::IfAboveIntegers => is_alone && names[2..].iter().all(|name| is_integer(name)),
        };
        if !is_header {
            return (None, 0);
        }
        let note = format!("{} {} in line {} is a header", shown(&names[0]), shown(&names[1]), self.first_line);
        self.rows.take_first();
        (Some(note), 2)
    }

    /// What a table's column `Type` says of all rows; where they differ, undirected rows become two arcs.
    fn stated_kind(&mut self) -> Option<Kind> {
        let directed = self.directions.iter().filter(|&&directed| directed).count();
        if self.directions.is_empty() {
            return None;
        }
        if directed > 0 && directed < self.directions.len() {
            self.rows.double(|k| !self.directions[k]);
        }
        Some(if directed == 0 { Kind::Edges } else { Kind::Arcs })
    }
}

/// Whether two names differ in the digits at their end only: `node1` and `node17`.
fn are_alike(a: &str, b: &str) -> bool {
    let stem = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_string();
    stem(a).len() < a.len() && stem(a) == stem(b)
}

/// The names in their documented order, and the rows with them.
fn in_order(mut names: Vec<String>, rows: &mut Rows) -> Vec<String> {
    if !names.iter().all(|name| is_integer(name)) {
        return names;
    }
    // The numbers beside each other: looking two names up for each comparison would take longer than reading them.
    let mut order: Vec<(u64, usize)> = names.iter().map(|name| name.parse().unwrap_or(u64::MAX)).zip(0..).collect();
    order.sort_by(|&(x, i), &(y, j)| x.cmp(&y).then_with(|| numeric_key(&names[i]).cmp(&numeric_key(&names[j]))));
    let mut label = vec![0; names.len()];
    order.iter().enumerate().for_each(|(new, &(_, old))| label[old] = new);
    rows.rename(|i| label[i]);
    order.into_iter().map(|(_, old)| std::mem::take(&mut names[old])).collect()
}

fn is_negative_integer(name: &str) -> bool {
    name.strip_prefix('-').is_some_and(is_integer)
}

/// Integers of any length in numeric order; 7 before 07.
fn numeric_key(integer: &str) -> (usize, &str, usize) {
    let digits = integer.trim_start_matches('0');
    (digits.len(), digits, integer.len())
}

/// Integer names are sorted on reading, so lines for vertices without edges suffice; other names come in order
/// of appearance, so all vertices are listed first. Weights are left out when all are 1.
pub(super) fn write(file: &mut dyn Write, named: &NamedGraph, directed: bool) -> io::Result<()> {
    let NamedGraph { graph, names } = named;
    write!(file, "# ")?;
    write_summary(file, graph, directed)?;
    writeln!(file)?;
    let integers = names.iter().all(|name| is_integer(name));
    let mut has_edge = vec![false; names.len()];
    for (i, j, _) in graph.arcs() {
        (has_edge[i], has_edge[j]) = (true, true);
    }
    for (name, has_edge) in names.iter().zip(has_edge) {
        if !(integers && has_edge) {
            writeln!(file, "{}", quoted(name))?;
        }
    }
    let weighted = graph.arcs().any(|(_, _, weight)| weight != 1.0);
    for (i, j, weight) in listed_edges(graph, directed) {
        write!(file, "{} {}", quoted(&names[i]), quoted(&names[j]))?;
        if weighted {
            write!(file, " {}", number(weight))?;
        }
        writeln!(file)?;
    }
    Ok(())
}

fn quoted(name: &str) -> Cow<'_, str> {
    if is_negative_integer(name) { Cow::Owned(in_quotes(name)) } else { quote(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, directed: bool) -> Result<NamedGraph> {
        parse_edge_list(Path::new("a.edges"), text.as_bytes(), directed)
    }

    fn message(text: &str) -> String {
        parse(text, false).unwrap_err().to_string()
    }

    #[test]
    fn names_weights_comments_and_lone_vertices_are_read() {
        let text = "\u{feff}% head\r\nanna bert # tail\r\n\r\nbert,carl;2.5\n\"Dr. No\"\n carl\tcarl\t-1 % loop\nanna";
        let named = parse(text, false).unwrap();
        assert_eq!(named.names, ["anna", "bert", "carl", "Dr. No"]);
        let edges: Vec<_> = named.graph.arcs().filter(|arc| arc.0 <= arc.1).collect();
        assert_eq!(edges, [(0, 1, 1.0), (1, 2, 2.5), (2, 2, -1.0)]);
        assert!(named.graph.is_symmetric());
    }

    #[test]
    fn integer_names_are_in_numeric_order_and_others_in_order_of_appearance() {
        assert_eq!(parse("10 9\n100000000000000000000000 2\n02 1", false).unwrap().names[..4], ["1", "2", "02", "9"]);
        assert_eq!(parse("10 9\nx 2", false).unwrap().names, ["10", "9", "x", "2"]);
        // The order 9, 10, 2 is no involution, so that it cannot be mistaken for its inverse.
        let named = parse("9 10 3\n2 10 4", true).unwrap();
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 2, 4.0), (1, 2, 3.0)]);
    }

    #[test]
    fn directed_lists_have_arcs() {
        let named = parse("a b 1\nb a 2", true).unwrap();
        assert_eq!((named.graph.weight(0, 1), named.graph.weight(1, 0)), (1.0, 2.0));
        assert!(!named.graph.is_symmetric());
    }

    #[test]
    fn an_edge_may_come_twice_but_not_with_two_weights() {
        assert_eq!(parse("a b 2\nb a 2\na b 2", false).unwrap().graph.edge_count(), 1);
        let expected = "a.edges:3: the edge from 'b' to 'a' has weight 3, but 2 in line 1; --directed reads arcs, ";
        assert!(message("a b 2\n\nb a 3").starts_with(expected));
        let arcs = parse("a b\na b 3", true).unwrap_err().to_string();
        assert!(arcs.starts_with("a.edges:2: the arc from 'a' to 'b' has weight 3, but 1 in line 1; "), "{arcs}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            ("", "a.edges: the graph has no vertex"),
            ("# nothing\n", "a.edges: the graph has no vertex"),
            ("a b\na b c d", "a.edges:2: 4 fields"),
            ("a b x", "a.edges:1: weight 'x' is not a number"),
            ("a b\nb c nan", "a.edges:2: weight 'nan' is not finite"),
            ("a b 1e999", "a.edges:1: weight '1e999' is not finite"),
            ("a b\na -1", "a.edges:2: vertex '-1' is negative"),
            ("a,,b", "a.edges:1: field 2 is empty"),
            ("\"\" b", "a.edges:1: field 1 is empty"),
            ("a b\n\"c d", "a.edges:2: a quote is not closed"),
            ("%%MatrixMarket matrix", "a.edges:1: a Matrix Market file"),
            ("source,target,weight\n0,1", "a.edges:2: 2 fields, but the header says 3"),
            ("source,target,weight\n0,1,x", "a.edges:2: weight 'x' is not a number"),
            ("source,target,weight\n0,,1", "a.edges:2: field 2 is empty"),
            ("Source,Target,Type,Id\n0,1,Directed,0\n1,2,odd,1", "a.edges:3: 'odd' is neither directed nor undirected"),
            ("buyer,seller,day,price\na,b,1,2", "a.edges:1: a table whose columns 'buyer', "),
            ("a b {'weight': None}", "a.edges:1: weight 'None' is not a number"),
            ("a b {]}", "a.edges:1: the dictionary '{]}' is broken"),
            ("0 1 2 3\n1\n2 3\n3\n", "a.edges: looks like an adjacency list"),
        ] {
            let message = message(text);
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
        let latin1 = parse_edge_list(Path::new("a.edges"), b"a b\nc \xe9", false).unwrap_err();
        assert_eq!(latin1.to_string(), "a.edges:2: not UTF-8 text: save it as UTF-8");
    }

    type Arcs = Vec<(usize, usize, f64)>;

    fn found(text: &str) -> (Vec<String>, Arcs, Vec<String>) {
        let file = read(Path::new("a.edges"), text.as_bytes(), &Reading::new(true)).unwrap();
        (file.named.names, file.named.graph.arcs().collect(), file.notes)
    }

    #[test]
    fn two_names_in_the_first_line_are_a_header_if_they_are_no_vertices() {
        let (names, arcs, notes) = found("# x\nsource target\nx y\ny z");
        assert_eq!((names.join(" "), arcs), ("x y z".to_string(), vec![(0, 1, 1.0), (1, 2, 1.0)]));
        assert_eq!(notes, ["'source' 'target' in line 2 is a header"]);
        let (names, arcs, _) = found("anna bert\n10 2\n2 1");
        assert_eq!((names.join(" "), arcs), ("1 2 10".to_string(), vec![(1, 0, 1.0), (2, 1, 1.0)]));
        for text in [
            "source target\nx source",
            "source target\nx y\nsource",
            "anna bert\n1 2\nanna bert",
            "\"source\" target\n1 2",
            "node1 node2\nnode3 node4",
            "a b\nc d",
        ] {
            assert_eq!(found(text).0.len(), if text.contains("x source") { 3 } else { 4 }, "{text}");
            assert!(!found(text).2.iter().any(|note| note.contains("header")), "{text}");
        }
        assert_eq!(parse("source target", false).unwrap().names.len(), 2);
    }

    #[test]
    fn tables_are_read_by_their_columns() {
        let (names, arcs, notes) =
            found("Id,Target,Source,Label,Weight\n0,New York,Rome,\"a, b\",2.5\n1,Rome,Oslo,,3\n");
        assert_eq!(names, ["Rome", "New York", "Oslo"]);
        assert_eq!(arcs, [(0, 1, 2.5), (2, 0, 3.0)]);
        let note =
            "a table with the ends in columns 'Source' and 'Target', weights in 'Weight'; 'Id', 'Label' are not read";
        assert_eq!(notes, [note]);
        let (names, arcs, _) = found("#node1\tnode2\tid\tcombined_score\nx\ty\t7\t0.9\n");
        assert_eq!((names.join(" "), arcs), ("x y".to_string(), vec![(0, 1, 0.9)]));
    }

    #[test]
    fn a_column_type_says_which_rows_have_a_direction() {
        let arcs = |second: &str| found(&format!("Source,Target,Type,Id\n0,1,Undirected,0\n1,2,{second},1\n")).1;
        assert_eq!(arcs("Undirected").len(), 4);
        assert_eq!(arcs("Directed"), [(0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0)]);
        let message = parse("Source,Target,Type,Id\n0,1,Directed,0\n", false).unwrap_err().to_string();
        assert!(message.contains("not an undirected graph"), "{message}");
    }

    #[test]
    fn networkx_writes_dictionaries_behind_edges() {
        for text in ["a b {}\nb c {'weight': 2.5, 'color': 'red'}\n", "a,b,{}\nb,c,{\"x\": [1, 2], \"weight\": 2.5}\n"]
        {
            let (names, arcs, notes) = found(text);
            assert_eq!((names.join(" "), arcs), ("a b c".to_string(), vec![(0, 1, 1.0), (1, 2, 2.5)]));
            assert!(notes.is_empty());
        }
    }

    #[test]
    fn what_reads_well_but_means_something_else_is_refused_unless_the_format_is_given() {
        let edges = |text: &str, format| {
            let reading = Reading { format, ..Reading::default() };
            read(Path::new("a.edges"), text.as_bytes(), &reading).map(|file| file.named.names.len())
        };
        for (text, expected) in [
            ("0 1 2\n1 2\n2\n", "a.edges: looks like an adjacency list"),
            ("% c\n3 3\n2 3\n1 3\n1 2\n", "a.edges: looks like a METIS graph"),
            ("# c\n4 5\n1 2\n2 3\n3 4\n4 1\n1 3\n", "a.edges:2: the first line seems to state"),
            ("4 4 5\n1 2 3\n2 3 1\n3 2 1\n3 1 2\n1 3 2\n", "a.edges:1: the first line seems to state"),
        ] {
            let message = edges(text, None).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
            assert!(edges(text, Some(GraphFormat::EdgeList)).is_ok(), "{text}");
        }
        for text in ["4 0 2\n", "0 1\n1 2\n2 0", "5 4\n1 2\n2 3\n3 4\n4 5", "2 1\n0 1\n"] {
            assert!(edges(text, None).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_as_short_as_it_can_be() {
        let written = |text: &str| {
            let mut file = Vec::new();
            write(&mut file, &parse(text, false).unwrap(), false).unwrap();
            String::from_utf8(file).unwrap()
        };
        assert_eq!(written("2 1\n3"), "# 3 vertices, 1 undirected edges\n3\n1 2\n");
        assert_eq!(written("b a 2"), "# 2 vertices, 1 undirected edges\nb\na\nb a 2\n");
        assert_eq!(written("\"-1\" \"a b\""), "# 2 vertices, 1 undirected edges\n\"-1\"\n\"a b\"\n\"-1\" \"a b\"\n");
    }
}
