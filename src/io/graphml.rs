//! GraphML: graphs in XML (U. Brandes et al., *GraphML Progress Report*, Graph Drawing 2001), as networkx, igraph,
//! Gephi, yEd, Cytoscape, boost and graph-tool write it.

use super::edges::{Kind, Rows};
use super::graph_format::GraphFormat;
use super::listing::listed_edges;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::text::{finite, legible, line_of, number, shown};
use super::vertex_names::{Names, are_generated, chosen};
use super::vertices::Vertices;
use super::xml::{hexadecimal, xml_text};
use crate::error::{Error, Result};
use quick_xml::XmlVersion;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};
use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// Reads a GraphML file.
///
/// ```text
/// <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
///   <key id="w" for="edge" attr.name="weight" attr.type="double"><default>1</default></key>
///   <graph edgedefault="undirected">
///     <node id="anna"/> <node id="bert"/>
///     <edge source="anna" target="bert"><data key="w">2.5</data></edge>
///   </graph>
/// </graphml>
/// ```
///
/// Vertices are in the order of the nodes and are called by their ids. Where these are numbers, or numbers behind an
/// `n`, as programs make them, they are called by the attribute `name` if every node has one and all differ, else
/// likewise by `label`, or by what yEd writes on a node.
///
/// The edge attribute called `weight` is the weight, 1 without it; several keys may have this name, as networkx writes
/// one a type. Other attributes are ignored. `edgedefault`, and an edge's own `directed`, say whether an edge is one
/// arc or two. The text is in the encoding that the file declares.
///
/// ```
/// let text = br#"<graphml><graph edgedefault="undirected">
///     <node id="anna"/> <node id="bert"/> <edge source="anna" target="bert"/> </graph></graphml>"#;
/// let named = birkhoff::io::parse_graphml("pair.graphml".as_ref(), text, false)?;
/// assert_eq!((named.graph.weight(1, 0), named.names[1].as_str()), (1.0, "bert"));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with the line: broken XML, a nested or second graph, a hyperedge, a port, a node twice, an edge to
/// no node, a weight that is no finite number, an edge once more with another weight. [`Error::File`] when there is no
/// vertex, or when `directed` is false but the graph is not symmetric. O(bytes + m log(largest degree)).
pub fn parse_graphml(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = xml_text(source, bytes)?;
    let mut document = Document { source, ..Document::default() };
    document.read(&text)?;
    let weights: Vec<f64> = document.edges.iter().map(|edge| document.weight(edge)).collect();
    let Document { nodes, names, labels, edges, .. } = document;
    let mut rows = Rows::default();
    for (edge, weight) in edges.iter().zip(weights) {
        let node = |id: &str| {
            nodes.get(id).ok_or_else(|| Error::parse(source, edge.line, format!("there is no node {}", shown(id))))
        };
        rows.add(edge.line, (node(&edge.source)?, node(&edge.target)?), weight);
    }
    let kind = if edges.iter().any(|edge| edge.directed) { Kind::Arcs } else { Kind::Edges };
    if kind == Kind::Arcs {
        rows.double(|k| !edges[k].directed);
    }
    let (names, note) = match are_generated(nodes.names()) {
        true => chosen(nodes.into_names(), [("name", names), ("label", labels)]),
        false => (nodes.into_names(), None),
    };
    let mut file = rows.into_file(source, GraphFormat::GraphMl, kind, names, reading)?;
    file.notes.extend(note);
    Ok(file)
}

/// An attribute that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Attribute {
    Weight,
    /// A weight that is written otherwise, such as `Weight`: it counts where there is no other.
    LikeWeight,
    Name,
    Label,
}

/// An element that is open, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Element {
    GraphMl,
    /// The key of an attribute.
    Key(Attribute),
    /// The default of that key: its text is a value.
    Default(Attribute),
    Graph,
    Node,
    Edge,
    /// The data of a node or an edge that matters: its text is a value.
    Value(Attribute),
    /// Anything else: it and all it contains is ignored, but for a label of yEd's in a node.
    Other,
}

struct Edge {
    line: usize,
    source: String,
    target: String,
    directed: bool,
    weight: Option<f64>,
    like_weight: Option<f64>,
}

struct Document<'s> {
    source: &'s Path,
    line: usize,
    open: Vec<Element>,
    nodes: Vertices,
    names: Names,
    labels: Names,
    /// Name and label of the node that is open.
    name: Option<String>,
    label: Option<String>,
    edges: Vec<Edge>,
    /// What `edgedefault` says; there is no graph yet while it is `None`.
    directed: Option<bool>,
    keys: HashMap<String, Attribute>,
    defaults: HashMap<Attribute, f64>,
    /// The text of the value that is open.
    value: String,
}

impl Default for Document<'_> {
    fn default() -> Self {
        Document {
            source: Path::new(""),
            line: 1,
            open: Vec::new(),
            nodes: Vertices::default(),
            names: Names::default(),
            labels: Names::default(),
            name: None,
            label: None,
            edges: Vec::new(),
            directed: None,
            keys: HashMap::new(),
            defaults: HashMap::new(),
            value: String::new(),
        }
    }
}

impl Document<'_> {
    fn refuse<T>(&self, cause: impl Into<String>) -> Result<T> {
        Err(Error::parse(self.source, self.line, cause))
    }

    fn broken(&self, error: impl Display) -> Error {
        Error::parse(self.source, self.line, format!("broken XML: {}", legible(&error.to_string(), 200)))
    }

    fn weight(&self, edge: &Edge) -> f64 {
        let default = |attribute| self.defaults.get(&attribute).copied();
        let weight = edge.weight.or(default(Attribute::Weight)).or(edge.like_weight);
        weight.or(default(Attribute::LikeWeight)).unwrap_or(1.0)
    }

    fn read(&mut self, text: &str) -> Result<()> {
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut counted = 0;
        loop {
            let event = reader.read_event();
            let at = if event.is_ok() { reader.buffer_position() } else { reader.error_position() };
            let at = usize::try_from(at).unwrap_or(text.len()).clamp(counted, text.len());
            match event {
                Ok(Event::Start(element)) => {
                    // The line in which the element begins, not the one in which its tag ends.
                    let begin = at.saturating_sub(element.len() + 2).max(counted);
                    self.line += line_of(&text.as_bytes()[counted..begin], usize::MAX) - 1;
                    counted = begin;
                    self.start(&element)?;
                }
                Ok(Event::End(_)) => self.end()?,
                Ok(Event::Text(text)) => self.characters(&text.xml10_content()),
                Ok(Event::CData(text)) => self.characters(&text.xml10_content()),
                Ok(Event::GeneralRef(entity)) => {
                    let character = entity.resolve_char_ref().ok().flatten().map(String::from);
                    match character.or_else(|| resolve_predefined_entity(&entity).map(str::to_string)) {
                        Some(text) => self.characters(&text),
                        None if self.is_value_open() => return self.refuse("an unknown entity in a value"),
                        None => {}
                    }
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(error) => {
                    self.line += line_of(&text.as_bytes()[counted..at], usize::MAX) - 1;
                    return Err(self.broken(error));
                }
            }
            self.line += line_of(&text.as_bytes()[counted..at], usize::MAX) - 1;
            counted = at.max(counted);
        }
        if !self.open.is_empty() {
            return self.refuse("the file ends before all elements are closed");
        }
        if self.directed.is_none() {
            return Err(Error::file(self.source, "there is no <graph> in a <graphml>"));
        }
        Ok(())
    }

    fn start(&mut self, element: &BytesStart) -> Result<()> {
        let name = element.local_name().into_inner();
        let parent = self.open.last().copied();
        let opened = match (parent, name) {
            (None, "graphml") => Element::GraphMl,
            (None, _) => return self.refuse(format!("the root is {}, not <graphml>", shown(name))),
            (Some(Element::GraphMl), "key") => self.key(element)?,
            (Some(Element::Key(attribute)), "default") => Element::Default(attribute),
            (Some(Element::GraphMl), "graph") => self.graph(element)?,
            (Some(Element::Graph), "node") => self.node(element)?,
            (Some(Element::Graph), "edge") => self.edge(element)?,
            (Some(parent @ (Element::Node | Element::Edge)), "data") => self.data(parent, element)?,
            (Some(Element::Graph | Element::Node | Element::Edge), "graph") => {
                return self.refuse("nested graphs are not supported");
            }
            (Some(Element::Graph), "hyperedge") => return self.refuse("hyperedges are not supported"),
            (Some(Element::Node), "port") => return self.refuse("ports are not supported"),
            // What yEd writes on a node; it has settings nested behind the text.
            (Some(Element::Other), "NodeLabel") if self.open.get(2) == Some(&Element::Node) && self.label.is_none() => {
                Element::Value(Attribute::Label)
            }
            (Some(Element::Value(Attribute::Weight | Attribute::LikeWeight) | Element::Default(_)), _) => {
                return self.refuse("an element in a value");
            }
            _ => Element::Other,
        };
        if matches!(opened, Element::Value(_) | Element::Default(_)) {
            self.value.clear();
        }
        self.open.push(opened);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match self.open.pop() {
            Some(Element::Value(Attribute::Name)) => self.name = Some(self.value.trim().to_string()),
            Some(Element::Value(Attribute::Label)) => self.label = Some(self.value.trim().to_string()),
            Some(Element::Value(attribute)) => {
                let weight = Some(self.number()?);
                match self.edges.last_mut() {
                    Some(edge) if attribute == Attribute::Weight => edge.weight = weight,
                    Some(edge) => edge.like_weight = weight,
                    None => {}
                }
            }
            Some(Element::Default(attribute @ (Attribute::Weight | Attribute::LikeWeight))) => {
                let weight = self.number()?;
                self.defaults.insert(attribute, weight);
            }
            Some(Element::Node) => {
                self.names.push(self.name.take().as_deref());
                self.labels.push(self.label.take().as_deref());
            }
            _ => {}
        }
        Ok(())
    }

    fn is_value_open(&self) -> bool {
        matches!(self.open.last(), Some(Element::Value(_) | Element::Default(_)))
    }

    fn characters(&mut self, text: &str) {
        if self.is_value_open() {
            self.value.push_str(text);
        }
    }

    fn number(&self) -> Result<f64> {
        let text = self.value.trim();
        match hexadecimal(text) {
            Some(number) => Ok(number),
            None => finite(self.source, self.line, "weight", text),
        }
    }

    /// `<key id="w" for="edge" attr.name="weight">`; other keys do not matter.
    fn key(&mut self, element: &BytesStart) -> Result<Element> {
        let of = self.attribute(element, "for")?;
        let is_of = |what: &str| of.as_deref().is_none_or(|of| of == what || of == "all");
        let attribute = match self.attribute(element, "attr.name")?.as_deref() {
            Some("weight") if is_of("edge") => Attribute::Weight,
            Some(name) if is_of("edge") && name.eq_ignore_ascii_case("weight") => Attribute::LikeWeight,
            Some("name") if is_of("node") => Attribute::Name,
            Some(name) if is_of("node") && name.eq_ignore_ascii_case("label") => Attribute::Label,
            _ => return Ok(Element::Other),
        };
        if self.directed.is_some() && attribute == Attribute::Weight {
            return self.refuse("the key for the edge attribute weight must stand before the graph");
        }
        let id = self.required(element, "id")?;
        self.keys.insert(id, attribute);
        Ok(Element::Key(attribute))
    }

    /// The data of a node or an edge, which has attributes of its own kind only.
    fn data(&self, parent: Element, element: &BytesStart) -> Result<Element> {
        let key = self.attribute(element, "key")?;
        let is_of = |&attribute: &Attribute| {
            matches!(attribute, Attribute::Weight | Attribute::LikeWeight) == (parent == Element::Edge)
        };
        let attribute = key.and_then(|key| self.keys.get(&key).copied());
        Ok(attribute.filter(is_of).map_or(Element::Other, Element::Value))
    }

    fn graph(&mut self, element: &BytesStart) -> Result<Element> {
        if self.directed.is_some() {
            return self.refuse("a second graph in the file");
        }
        self.directed = match self.required(element, "edgedefault")?.as_str() {
            "directed" => Some(true),
            "undirected" => Some(false),
            other => return self.refuse(format!("edgedefault {} is not directed or undirected", shown(other))),
        };
        Ok(Element::Graph)
    }

    fn node(&mut self, element: &BytesStart) -> Result<Element> {
        let id = self.required(element, "id")?;
        if id.is_empty() {
            return self.refuse("a node with an empty id");
        }
        if self.nodes.get(&id).is_some() {
            return self.refuse(format!("node {} is there twice", shown(&id)));
        }
        self.nodes.vertex(&id);
        Ok(Element::Node)
    }

    fn edge(&mut self, element: &BytesStart) -> Result<Element> {
        if self.attribute(element, "sourceport")?.is_some() || self.attribute(element, "targetport")?.is_some() {
            return self.refuse("ports are not supported");
        }
        let directed = match self.attribute(element, "directed")?.as_deref() {
            None => self.directed.unwrap_or(false),
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(other) => return self.refuse(format!("directed is {}, neither true nor false", shown(other))),
        };
        let (source, target) = (self.required(element, "source")?, self.required(element, "target")?);
        self.edges.push(Edge { line: self.line, source, target, directed, weight: None, like_weight: None });
        Ok(Element::Edge)
    }

    fn required(&self, element: &BytesStart, name: &str) -> Result<String> {
        match self.attribute(element, name)? {
            Some(value) => Ok(value),
            None => self.refuse(format!("<{}> lacks the attribute {name}", element.local_name().into_inner())),
        }
    }

    fn attribute(&self, element: &BytesStart, name: &str) -> Result<Option<String>> {
        let Some(attribute) = element.try_get_attribute(name).map_err(|error| self.broken(error))? else {
            return Ok(None);
        };
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.broken(error))?;
        Ok(Some(value.into_owned()))
    }
}

/// Nodes, then edges; weights are left out when all are 1.
pub(super) fn write(file: &mut dyn Write, named: &NamedGraph, directed: bool) -> io::Result<()> {
    let NamedGraph { graph, names } = named;
    writeln!(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(file, "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">")?;
    let weighted = graph.arcs().any(|(_, _, weight)| weight != 1.0);
    if weighted {
        writeln!(file, "  <key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>")?;
    }
    writeln!(file, "  <graph edgedefault=\"{}\">", if directed { "directed" } else { "undirected" })?;
    for name in names {
        writeln!(file, "    <node id=\"{}\"/>", escape(name))?;
    }
    for (i, j, weight) in listed_edges(graph, directed) {
        write!(file, "    <edge source=\"{}\" target=\"{}\"", escape(&names[i]), escape(&names[j]))?;
        if weighted {
            writeln!(file, "><data key=\"weight\">{}</data></edge>", number(weight))?;
        } else {
            writeln!(file, "/>")?;
        }
    }
    writeln!(file, "  </graph>\n</graphml>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, directed: bool) -> Result<NamedGraph> {
        parse_graphml(Path::new("a.graphml"), text.as_bytes(), directed)
    }

    const KEY: &str = r#"<key id="w" for="edge" attr.name="weight" attr.type="double"><default>4</default></key>"#;

    fn graph(kind: &str, content: &str) -> String {
        format!("<graphml>\n{KEY}\n<graph edgedefault=\"{kind}\">\n{content}\n</graph></graphml>")
    }

    #[test]
    fn nodes_edges_and_weights_are_read_and_the_rest_is_ignored() {
        let text = r#"<?xml version="1.0"?>
            <!DOCTYPE x> <!-- made by hand -->
            <g:graphml xmlns:g="http://graphml.graphdrawing.org/xmlns">
              <key id="d0" for="node" attr.name="weight"/><key id="d1" for="edge" attr.name="weight"/>
              <g:graph id="G" edgedefault="undirected"><desc>two &lt; three</desc>
                <edge source="b" target="a &amp; c"><data key="d0">x</data><data key="d1"> 2<![CDATA[.]]>&#53; </data></edge>
                <node id="a &amp; c"><data key="d0"><graph/>17</data></node><node id="b"/>
                <edge source="b" target="b"/>
              </g:graph>
            </g:graphml>"#;
        let named = parse(text, false).unwrap();
        assert_eq!(named.names, ["a & c", "b"]);
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 1, 2.5), (1, 0, 2.5), (1, 1, 1.0)]);
    }

    #[test]
    fn the_default_weight_and_the_direction_of_each_edge_count() {
        let content = r#"<node id="a"/><node id="b"/><node id="c"/><edge source="a" target="b"/>
            <edge source="b" target="c" directed="false"><data key="w">2</data></edge>"#;
        let named = parse(&graph("directed", content), true).unwrap();
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 1, 4.0), (1, 2, 2.0), (2, 1, 2.0)]);
    }

    #[test]
    fn a_directed_file_needs_directed_unless_it_is_symmetric() {
        let one = r#"<node id="a"/><node id="b"/><edge source="a" target="b"/>"#;
        let message = parse(&graph("directed", one), false).unwrap_err().to_string();
        assert!(message.starts_with("a.graphml: not an undirected graph: the weight from 'a' to 'b' is 4, but 0"));
        assert!(message.contains("--directed"));
        let both = format!("{one}<edge source=\"b\" target=\"a\"/>");
        assert!(parse(&graph("directed", &both), false).unwrap().graph.is_symmetric());
        assert!(parse(&graph("undirected", one), true).unwrap().graph.is_symmetric());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let nodes = "<node id=\"a\"/>\n<node id=\"b\"/>\n";
        let in_graph = |content: &str| graph("undirected", &format!("{nodes}{content}"));
        for (text, expected) in [
            (String::new(), "a.graphml: there is no <graph>"),
            ("no xml".to_string(), "a.graphml: there is no <graph>"),
            ("\n<gexf/>".to_string(), "a.graphml:2: the root is 'gexf'"),
            ("<graphml>\n<graph>".to_string(), "a.graphml:2: <graph> lacks the attribute edgedefault"),
            (graph("no", ""), "a.graphml:3: edgedefault 'no'"),
            (graph("directed", ""), "a.graphml: the graph has no vertex"),
            ("<graphml>\n<a>\n</b>".to_string(), "a.graphml:3: broken XML"),
            ("<graphml>\n<a>\n".to_string(), "a.graphml:3: the file ends before"),
            ("<graphml>\n<a".to_string(), "a.graphml:2: broken XML"),
            (in_graph("<node id=\"a\"/>"), "a.graphml:6: node 'a' is there twice"),
            (in_graph("<node/>"), "a.graphml:6: <node> lacks the attribute id"),
            (in_graph("<node id=''/>"), "a.graphml:6: a node with an empty id"),
            (in_graph("<node id='&x;'/>"), "a.graphml:6: broken XML"),
            (in_graph("<node id=a/>"), "a.graphml:6: broken XML"),
            (in_graph("<edge\nsource=\"a\"/>"), "a.graphml:6: <edge> lacks the attribute target"),
            (in_graph("<edge source='a' target='c'/>"), "a.graphml:6: there is no node 'c'"),
            (in_graph("<edge source='a' target='b' directed='x'/>"), "a.graphml:6: directed is 'x'"),
            (in_graph("<edge source='a' target='b' sourceport='x'/>"), "a.graphml:6: ports"),
            (in_graph("<node id='c'>\n<port name='p'/>"), "a.graphml:7: ports"),
            (in_graph("<node id='c'>\n<graph/>"), "a.graphml:7: nested graphs"),
            (in_graph("<hyperedge/>"), "a.graphml:6: hyperedges"),
            (in_graph("<edge source='a' target='b'>\n<data key='w'>x</data>"), "a.graphml:7: weight 'x'"),
            (in_graph("<edge source='a' target='b'>\n<data key='w'>inf</data>"), "a.graphml:7: weight 'inf'"),
            (in_graph("<edge source='a' target='b'>\n<data key='w'><b/></data>"), "a.graphml:7: an element in"),
            (in_graph("<edge source='a' target='b'>\n<data key='w'>&x;</data>"), "a.graphml:7: an unknown entity in"),
            (
                in_graph("<edge source='a' target='b'/>\n<edge source='b' target='a'><data key='w'>1</data></edge>"),
                "a.graphml:7: the edge from 'b' to 'a' has weight 1, but 4 in line 6",
            ),
            (format!("<graphml><graph edgedefault='directed'/>\n{KEY}"), "a.graphml:2: the key for the edge"),
            (
                "<graphml><graph edgedefault='directed'/>\n<graph edgedefault='directed'/>".to_string(),
                "a.graphml:2: a second graph",
            ),
        ] {
            let message = parse(&text, true).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }
}
