//! GraphML: graphs in XML (U. Brandes et al., *GraphML Progress Report*, Graph Drawing 2001).

use super::edges::{Edges, Vertices, accept};
use super::text::{decode, finite, legible, line_of, number, shown};
use super::{NamedGraph, listed_edges};
use crate::error::{Error, Result};
use quick_xml::XmlVersion;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::{BytesStart, Event};
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
/// Vertices are in the order of the nodes and are called by their ids. The edge attribute called `weight` is
/// the weight, 1 without it; other attributes are ignored. `edgedefault`, and an edge's own `directed`, say
/// whether an edge is one arc or two.
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
/// [`Error::Parse`] with the line: broken XML, a nested or second graph, a hyperedge, a port, a node twice, an
/// edge to no node, a weight that is no finite number, an arc once more with another weight.
/// [`Error::File`] when there is no vertex, or when `directed` is false but the graph is not symmetric.
/// O(bytes + m log m).
pub fn parse_graphml(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    let text = decode(source, bytes)?;
    let mut document = Document { source, ..Document::default() };
    document.read(text)?;
    let Document { nodes, edges, .. } = document;
    let mut arcs = Edges::new(source, true);
    for edge in edges {
        let node = |id: &str| {
            nodes.get(id).ok_or_else(|| Error::parse(source, edge.line, format!("there is no node {}", shown(id))))
        };
        let (u, v) = (node(&edge.source)?, node(&edge.target)?);
        let name = |i: usize| nodes.names()[i].clone();
        arcs.add(edge.line, (u, v), edge.weight, name)?;
        if !edge.directed {
            arcs.add(edge.line, (v, u), edge.weight, name)?;
        }
    }
    let names = nodes.into_names();
    let graph = arcs.into_graph(names.len(), |i| i)?;
    accept(source, NamedGraph { graph, names }, directed)
}

/// An element that is open, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Element {
    GraphMl,
    /// The key whose name is weight.
    WeightKey,
    /// The default of that key: its text is a number.
    WeightDefault,
    Graph,
    Node,
    Edge,
    /// The data of an edge that is its weight: its text is a number.
    Weight,
    /// Anything else: it and all it contains is ignored.
    Other,
}

struct Edge {
    line: usize,
    source: String,
    target: String,
    directed: bool,
    weight: f64,
}

struct Document<'s> {
    source: &'s Path,
    line: usize,
    open: Vec<Element>,
    nodes: Vertices,
    edges: Vec<Edge>,
    /// What `edgedefault` says; there is no graph yet while it is `None`.
    directed: Option<bool>,
    weight_key: Option<String>,
    default_weight: f64,
    number: String,
}

impl Default for Document<'_> {
    fn default() -> Self {
        Document {
            source: Path::new(""),
            line: 1,
            open: Vec::new(),
            nodes: Vertices::default(),
            edges: Vec::new(),
            directed: None,
            weight_key: None,
            default_weight: 1.0,
            number: String::new(),
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

    fn read(&mut self, text: &str) -> Result<()> {
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut counted = 0;
        loop {
            let event = reader.read_event();
            let at = match &event {
                Ok(_) => reader.buffer_position(),
                Err(_) => reader.error_position(),
            };
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
                Ok(Event::Text(text)) => self.characters(&text.xml10_content())?,
                Ok(Event::CData(text)) => self.characters(&text.xml10_content())?,
                Ok(Event::GeneralRef(entity)) => {
                    let character = entity.resolve_char_ref().ok().flatten().map(String::from);
                    match character.or_else(|| resolve_predefined_entity(&entity).map(str::to_string)) {
                        Some(text) => self.characters(&text)?,
                        None if self.is_number_expected() => return self.refuse("an entity in a weight"),
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
            (Some(Element::WeightKey), "default") => Element::WeightDefault,
            (Some(Element::GraphMl), "graph") => self.graph(element)?,
            (Some(Element::Graph), "node") => self.node(element)?,
            (Some(Element::Graph), "edge") => self.edge(element)?,
            (Some(Element::Edge), "data") => {
                let key = self.attribute(element, "key")?;
                if key.is_some() && key == self.weight_key { Element::Weight } else { Element::Other }
            }
            (Some(Element::Graph | Element::Node | Element::Edge), "graph") => {
                return self.refuse("nested graphs are not supported");
            }
            (Some(Element::Graph), "hyperedge") => return self.refuse("hyperedges are not supported"),
            (Some(Element::Node), "port") => return self.refuse("ports are not supported"),
            (Some(Element::Weight | Element::WeightDefault), _) => return self.refuse("an element in a weight"),
            _ => Element::Other,
        };
        self.open.push(opened);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match self.open.pop() {
            Some(Element::Weight) => {
                let weight = self.take_number()?;
                if let Some(edge) = self.edges.last_mut() {
                    edge.weight = weight;
                }
            }
            Some(Element::WeightDefault) => self.default_weight = self.take_number()?,
            _ => {}
        }
        Ok(())
    }

    fn is_number_expected(&self) -> bool {
        matches!(self.open.last(), Some(Element::Weight | Element::WeightDefault))
    }

    fn characters(&mut self, text: &str) -> Result<()> {
        if self.is_number_expected() {
            self.number.push_str(text);
        }
        Ok(())
    }

    fn take_number(&mut self) -> Result<f64> {
        let text = std::mem::take(&mut self.number);
        finite(self.source, self.line, "weight", text.trim())
    }

    /// `<key id="w" for="edge" attr.name="weight">`; other keys do not matter.
    fn key(&mut self, element: &BytesStart) -> Result<Element> {
        let of_edges = matches!(self.attribute(element, "for")?.as_deref(), None | Some("edge" | "all"));
        if !of_edges || self.attribute(element, "attr.name")?.as_deref() != Some("weight") {
            return Ok(Element::Other);
        }
        if self.weight_key.is_some() {
            return self.refuse("a second key for the edge attribute weight");
        }
        if self.directed.is_some() {
            return self.refuse("the key for the edge attribute weight must stand before the graph");
        }
        self.weight_key = Some(self.required(element, "id")?);
        Ok(Element::WeightKey)
    }

    fn graph(&mut self, element: &BytesStart) -> Result<Element> {
        if self.directed.is_some() {
            return self.refuse("a second graph in the file");
        }
        self.directed = match self.required(element, "edgedefault")?.as_str() {
            "directed" => Some(true),
            "undirected" => Some(false),
            other => {
                return self.refuse(format!("edgedefault {} is neither directed nor undirected", shown(other)));
            }
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
        self.edges.push(Edge { line: self.line, source, target, directed, weight: self.default_weight });
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
            (in_graph("<edge source='a' target='b'>\n<data key='w'>&x;</data>"), "a.graphml:7: an entity in"),
            (
                in_graph("<edge source='a' target='b'/>\n<edge source='b' target='a'><data key='w'>1</data></edge>"),
                "a.graphml:7: the arc from 'b' to 'a' has weight 1, but 4 in line 6",
            ),
            (format!("<graphml>\n{KEY}\n{KEY}"), "a.graphml:3: a second key"),
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
