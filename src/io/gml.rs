//! GML: nested keys and values (M. Himsolt, *GML: A portable graph file format*, 1996), as networkx, igraph, Gephi and
//! Cytoscape write it.

use super::edges::{Kind, Rows};
use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::text::{decode, finite, shown};
use super::vertex_names::{Names, chosen};
use super::vertices::Vertices;
use crate::error::{Error, Result};
use quick_xml::escape::resolve_predefined_entity;
use std::borrow::Cow;
use std::path::Path;

/// Reads a GML file.
///
/// ```text
/// graph [
///   directed 0
///   node [ id 0 label "anna" ]
///   node [ id 1 label "bert" ]
///   edge [ source 0 target 1 weight 2.5 ]
/// ]
/// ```
///
/// Vertices are in the order of the nodes. They are called by `label` if every node has one and all differ, else by
/// `name` likewise, else by `id`. The weight is the number under `weight`, else under `value` (Gephi's), else 1. All
/// other keys are ignored, with what is nested in them.
///
/// ```
/// let text = br#"graph [ node [ id 0 label "anna" ] node [ id 1 label "bert" ] edge [ source 0 target 1 ] ]"#;
/// let named = birkhoff::io::parse_gml("pair.gml".as_ref(), text, false)?;
/// assert_eq!((named.graph.weight(1, 0), named.names[1].as_str()), (1.0, "bert"));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with the line: a key without a value, brackets or quotes that do not match, a second graph, a node
/// without id or an id twice, an edge without ends or to no node, a weight that is no finite number, an edge once more
/// with another weight. [`Error::File`] when there is no graph or no vertex, or when `directed` is false but the graph
/// is not symmetric. O(bytes).
pub fn parse_gml(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = decode(source, bytes)?;
    let mut document = Document::new(source);
    document.read(&mut Tokens { source, rest: &text, line: 1 })?;
    if !document.has_graph {
        return Err(Error::file(source, "there is no `graph [` in the file"));
    }
    let Document { ids, labels, names, edges, kind, .. } = document;
    let mut rows = Rows::default();
    for edge in edges {
        let node = |id: &Option<Cow<str>>, what: &str| {
            let Some(id) = id else { return Err(Error::parse(source, edge.line, format!("an edge lacks its {what}"))) };
            ids.get(id).ok_or_else(|| Error::parse(source, edge.line, format!("there is no node {}", shown(id))))
        };
        let ends = (node(&edge.source, "source")?, node(&edge.target, "target")?);
        rows.add(edge.line, ends, edge.weight.or(edge.value).unwrap_or(1.0));
    }
    let (names, note) = chosen(ids.into_names(), [("label", labels), ("name", names)]);
    let mut file = rows.into_file(source, GraphFormat::Gml, kind, names, reading)?;
    file.notes.extend(note);
    Ok(file)
}

/// A token, with the line in which it begins.
#[derive(Debug, PartialEq)]
enum Token<'t> {
    Open,
    Close,
    /// A key or a number.
    Word(&'t str),
    /// What stands in quotes, its entities resolved.
    Text(Cow<'t, str>),
}

struct Tokens<'s, 't> {
    source: &'s Path,
    rest: &'t str,
    line: usize,
}

impl<'t> Tokens<'_, 't> {
    fn refuse<T>(&self, cause: impl Into<String>) -> Result<T> {
        Err(Error::parse(self.source, self.line, cause))
    }

    /// The next token; `None` at the end.
    fn next(&mut self) -> Result<Option<Token<'t>>> {
        loop {
            let begin = self.rest.find(|c: char| !c.is_whitespace()).unwrap_or(self.rest.len());
            self.skip(begin);
            if !self.rest.starts_with('#') {
                break;
            }
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let token = match first {
            '[' | ']' => {
                self.skip(1);
                if first == '[' { Token::Open } else { Token::Close }
            }
            '"' => {
                let inside = &self.rest[1..];
                let Some(end) = inside.find('"') else { return self.refuse("a quote is not closed") };
                self.skip(end + 2);
                Token::Text(with_entities(&inside[..end]))
            }
            _ => {
                let end = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"');
                let word = &self.rest[..self.rest.find(end).unwrap_or(self.rest.len())];
                self.skip(word.len());
                Token::Word(word)
            }
        };
        Ok(Some(token))
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.bytes().filter(|&byte| byte == b'\n').count();
        self.rest = rest;
    }
}

/// `text` with `&amp;`, `&#233;` and the like resolved; what is no known entity stays.
fn with_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut resolved = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        let entity = rest[at + 1..].split_once(';').and_then(|(name, tail)| Some((entity(name)?, tail)));
        match entity {
            Some((character, tail)) => {
                resolved.push_str(&character);
                rest = tail;
            }
            None => {
                resolved.push('&');
                rest = &rest[at + 1..];
            }
        }
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

fn entity(name: &str) -> Option<String> {
    let Some(code) = name.strip_prefix('#') else { return resolve_predefined_entity(name).map(str::to_string) };
    let code = match code.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => code.parse(),
    };
    char::from_u32(code.ok()?).map(String::from)
}

/// A list that is open, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum List {
    Top,
    Graph,
    Node,
    Edge,
    /// Anything else: it and all it contains is ignored.
    Other,
}

#[derive(Default)]
struct Edge<'t> {
    line: usize,
    source: Option<Cow<'t, str>>,
    target: Option<Cow<'t, str>>,
    weight: Option<f64>,
    value: Option<f64>,
}

#[derive(Default)]
struct Node<'t> {
    line: usize,
    id: Option<Cow<'t, str>>,
    label: Option<Cow<'t, str>>,
    name: Option<Cow<'t, str>>,
}

struct Document<'s, 't> {
    source: &'s Path,
    open: Vec<List>,
    has_graph: bool,
    kind: Kind,
    node: Node<'t>,
    ids: Vertices,
    labels: Names,
    names: Names,
    edges: Vec<Edge<'t>>,
}

impl<'s, 't> Document<'s, 't> {
    fn new(source: &'s Path) -> Self {
        Document {
            source,
            open: vec![List::Top],
            has_graph: false,
            kind: Kind::Edges,
            node: Node::default(),
            ids: Vertices::default(),
            labels: Names::default(),
            names: Names::default(),
            edges: vec![],
        }
    }

    fn read(&mut self, tokens: &mut Tokens<'_, 't>) -> Result<()> {
        while let Some(token) = tokens.next()? {
            let line = tokens.line;
            match token {
                Token::Close if self.open.len() > 1 => self.close()?,
                Token::Word(key) => match tokens.next()? {
                    Some(Token::Open) => self.open(tokens, line, key)?,
                    Some(Token::Word(value)) => self.value(tokens, key, Cow::Borrowed(value))?,
                    Some(Token::Text(value)) => self.value(tokens, key, value)?,
                    Some(Token::Close) | None => {
                        return Err(Error::parse(self.source, line, format!("{} has no value", shown(key))));
                    }
                },
                _ => return tokens.refuse("a key is expected here"),
            }
        }
        match self.open.len() {
            1 => Ok(()),
            _ => tokens.refuse("the file ends before all brackets are closed"),
        }
    }

    fn open(&mut self, tokens: &Tokens, line: usize, key: &str) -> Result<()> {
        let parent = self.open.last().copied().unwrap_or(List::Top);
        let list = match (parent, key) {
            (List::Top, "graph") if self.has_graph => return tokens.refuse("a second graph in the file"),
            (List::Top, "graph") => List::Graph,
            (List::Graph, "node") => List::Node,
            (List::Graph, "edge") => List::Edge,
            _ => List::Other,
        };
        match list {
            List::Graph => self.has_graph = true,
            List::Node => self.node = Node { line, ..Node::default() },
            List::Edge => self.edges.push(Edge { line, ..Edge::default() }),
            List::Top | List::Other => {}
        }
        self.open.push(list);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if self.open.pop() != Some(List::Node) {
            return Ok(());
        }
        let Node { line, id, label, name } = std::mem::take(&mut self.node);
        let Some(id) = id else { return Err(Error::parse(self.source, line, "a node lacks its id")) };
        if self.ids.get(&id).is_some() {
            return Err(Error::parse(self.source, line, format!("node {} is there twice", shown(&id))));
        }
        self.ids.vertex(&id);
        self.labels.push(label.as_deref());
        self.names.push(name.as_deref());
        Ok(())
    }

    fn value(&mut self, tokens: &Tokens, key: &str, value: Cow<'t, str>) -> Result<()> {
        let number = |value: &str| finite(self.source, tokens.line, key, value).map(Some);
        match (self.open.last(), key) {
            (Some(List::Graph), "directed") => {
                self.kind = match &*value {
                    "0" => Kind::Edges,
                    "1" => Kind::Arcs,
                    _ => return tokens.refuse(format!("directed is {}, neither 0 nor 1", shown(&value))),
                };
            }
            (Some(List::Node), "id") => self.node.id = Some(value),
            (Some(List::Node), "label") => self.node.label = Some(value),
            (Some(List::Node), "name") => self.node.name = Some(value),
            (Some(List::Edge), _) => {
                let Some(edge) = self.edges.last_mut() else { return Ok(()) };
                match key {
                    "source" => edge.source = Some(value),
                    "target" => edge.target = Some(value),
                    "weight" => edge.weight = number(&value)?,
                    // Others keep words under this key.
                    "value" => edge.value = value.parse().ok().filter(|value: &f64| value.is_finite()),
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, directed: bool) -> Result<NamedGraph> {
        parse_gml(Path::new("a.gml"), text.as_bytes(), directed)
    }

    #[test]
    fn nodes_edges_and_weights_of_all_dialects_are_read_and_the_rest_is_ignored() {
        // networkx, igraph, Gephi, Cytoscape.
        for text in [
            "graph [\n  multigraph 1\n  node [\n    id 0\n    label \"a&#233;\"\n  ]\n  node [\n    id 1\n    label \"b c\"\n  ]\n  edge [\n    \
             source 0\n    target 1\n    key 0\n    weight 2.5\n  ]\n]\n",
            "Creator \"igraph version 0.10.2 Thu Jan 1 00:00:00 1970\"\nVersion 1\ngraph\n[\n  directed 0\n  node\n  [\n    id 0\n    \
             name \"aé\"\n  ]\n  node\n  [\n    id 1\n    name \"b c\"\n  ]\n  edge\n  [\n    source 1\n    target 0\n    weight 2.5\n  ]\n]\n",
            "graph\n[\n  Creator \"Gephi\"\n  directed 0\n  node\n  [\n    id 7\n    label \"aé\"\n    graphics\n    [\n      x -3.5\n      \
             fill \"#000000\"\n    ]\n  ]\n  node\n  [\n    id 8\n    label \"b c\"\n  ]\n  edge\n  [\n    id 0\n    source 7\n    target 8\n    \
             value 2.5\n  ]\n]\n",
            "Creator \"Cytoscape\"\nVersion 1.0\ngraph [\n node [ root_index -1 id -1 graphics [ x 1 type \"ellipse\" ] label \"aé\" ]\n \
             node [ id -2 label \"b c\" ]\n # comment [\n edge [ source -1 target -2 label \"pp\" weight 2.5 ] ]",
        ] {
            let named = parse(text, false).unwrap();
            assert_eq!(named.names, ["aé", "b c"], "{text}");
            assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 1, 2.5), (1, 0, 2.5)], "{text}");
        }
    }

    #[test]
    fn labels_that_are_missing_or_not_distinct_are_no_names() {
        let graph =
            |a: &str, b: &str| format!("graph [ node [ id 3 {a} ] node [ id 4 {b} ] edge [ source 3 target 4 ] ]");
        for (a, b, names) in [
            ("label \"x\"", "label \"y\"", ["x", "y"]),
            ("label \"x\" name \"p\"", "label \"x\" name \"q\"", ["p", "q"]),
            ("label \"x\"", "label \"x\"", ["3", "4"]),
            ("label \"x\"", "", ["3", "4"]),
            ("label 17", "label \"\"", ["3", "4"]),
            ("label 17", "label 18", ["17", "18"]),
        ] {
            assert_eq!(parse(&graph(a, b), false).unwrap().names, names, "{a} {b}");
        }
    }

    #[test]
    fn a_directed_file_needs_directed() {
        let text = "graph [ directed 1 node [ id 0 ] node [ id 1 ] edge [ source 1 target 0 ] ]";
        assert_eq!(parse(text, true).unwrap().graph.arcs().collect::<Vec<_>>(), [(1, 0, 1.0)]);
        assert!(parse(text, false).unwrap_err().to_string().contains("--directed"));
        assert_eq!(parse(&text.replace("directed 1", ""), true).unwrap().graph.arc_count(), 2);
    }

    #[test]
    fn entities_are_characters_and_others_stay() {
        for (text, resolved) in [
            ("&quot;a&quot; &amp;&lt;", "\"a\" &<"),
            ("&#xe9;&#233;", "éé"),
            ("a & b &x; &#99999999;", "a & b &x; &#99999999;"),
            ("&", "&"),
        ] {
            assert_eq!(with_entities(text), resolved);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let nodes = "graph [\nnode [ id 0 ]\nnode [ id 1 ]\n";
        let in_graph = |content: &str| format!("{nodes}{content}");
        for (text, expected) in [
            (String::new(), "a.gml: there is no `graph [`"),
            ("Version 1\n".into(), "a.gml: there is no `graph [`"),
            ("graph [ ]".into(), "a.gml: the graph has no vertex"),
            ("graph [\n".into(), "a.gml:2: the file ends before all brackets are closed"),
            ("graph [ ] ]".into(), "a.gml:1: a key is expected here"),
            ("graph [ ]\ngraph [ ]".into(), "a.gml:2: a second graph"),
            ("graph [\nid ]".into(), "a.gml:2: 'id' has no value"),
            ("graph [\n\"id\" 1 ]".into(), "a.gml:2: a key is expected here"),
            ("graph [\nlabel \"a\n".into(), "a.gml:2: a quote is not closed"),
            ("graph [ directed\n2 ]".into(), "a.gml:2: directed is '2'"),
            (in_graph("node [ label \"x\" ] ]"), "a.gml:4: a node lacks its id"),
            (in_graph("node [ id 0 ] ]"), "a.gml:4: node '0' is there twice"),
            (in_graph("edge [ source 0 ] ]"), "a.gml:4: an edge lacks its target"),
            (in_graph("edge [ source 0 target 2 ] ]"), "a.gml:4: there is no node '2'"),
            (in_graph("edge [ source 0 target 1\nweight x ] ]"), "a.gml:5: weight 'x' is not a number"),
            (in_graph("edge [ source 0 target 1 weight NAN ] ]"), "a.gml:4: weight 'NAN' is not finite"),
            (
                in_graph("edge [ source 0 target 1 ]\nedge [ source 0 target 1 weight 2 ] ]"),
                "a.gml:5: the edge from '0' to '1' has weight 2, but 1 in line 4",
            ),
        ] {
            let message = parse(&text, false).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }
}
