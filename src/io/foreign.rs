//! Formats that are not read: how they are known by their content, and what to do with them.

use crate::error::{Error, Result};
use std::collections::HashSet;
use std::path::Path;
use std::str::SplitWhitespace;

/// A format that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign {
    pub name: &'static str,
    /// What to do with it; `FILE` stands for the file.
    advice: &'static str,
}

impl Foreign {
    /// The error that names the format.
    pub fn refuse<T>(self, source: &Path) -> Result<T> {
        let Foreign { name, advice } = self;
        let advice = advice.replace("FILE", &source.display().to_string());
        Err(Error::file(source, format!("looks like {name}, which is not read: {advice}")))
    }
}

const fn foreign(name: &'static str, advice: &'static str) -> Foreign {
    Foreign { name, advice }
}

const SAVE_CSV: &str = "save the sheet as CSV";
const UNPACK: &str = "unpack it first";
const EDGES: &str = "write its edges as `u v weight` or as a CSV table";
const SPARSE6: &str = "networkx.write_gml(networkx.read_sparse6('FILE'), 'graph.gml') converts it";
const NO_GRAPH: &str = "it holds no graph";

/// Formats by the bytes they begin with, the longer before the shorter.
const MAGIC: [(&[u8], Foreign); 28] = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", foreign("an Excel or Office file (.xls)", SAVE_CSV)),
    (
        b"\x89HDF\r\n\x1a\n",
        foreign("HDF5 (.h5, .mat of version 7.3)", "write the matrix with numpy.save or scipy.io.mmwrite"),
    ),
    (b"MATLAB 5.0 MAT-file", foreign("a MATLAB file (.mat)", "convert it by scipy.io.loadmat and scipy.io.mmwrite")),
    (b"SQLite format 3\0", foreign("an SQLite database", "export the table as CSV")),
    (b"version https://git-lfs", foreign("a pointer of Git LFS", "fetch the file itself with `git lfs pull`")),
    (b"\xe2\x9b\xbe gt", foreign("graph-tool's binary format (.gt)", "save it as GraphML")),
    (b">>sparse6<<", foreign("sparse6", SPARSE6)),
    (b">>digraph6<<", foreign("digraph6", EDGES)),
    (b">>graph6<<", GRAPH6),
    (b"\x89PNG", foreign("a picture (PNG)", NO_GRAPH)),
    (b"GIF8", foreign("a picture (GIF)", NO_GRAPH)),
    (b"\xff\xd8\xff", foreign("a picture (JPEG)", NO_GRAPH)),
    (b"II*\0", foreign("a picture (TIFF)", NO_GRAPH)),
    (b"MM\0*", foreign("a picture (TIFF)", NO_GRAPH)),
    (b"%PDF-", foreign("a PDF document", NO_GRAPH)),
    (b"%!PS", foreign("PostScript", NO_GRAPH)),
    (b"{\\rtf", foreign("a text document (RTF)", "save it as plain text")),
    (b"PAR1", foreign("Parquet", "pandas.read_parquet('FILE').to_csv('edges.csv') converts it")),
    (b"ARROW1", foreign("Arrow or Feather", "pandas.read_feather('FILE').to_csv('edges.csv') converts it")),
    (b"\x7fELF", foreign("a program", NO_GRAPH)),
    (b"RDX", foreign("R's data (.RData)", "write.csv the edges in R")),
    (b"X\n\0\0\0", foreign("R's data (.rds)", "write.csv the edges in R")),
    (b"BZh", foreign("a file compressed by bzip2", UNPACK)),
    (b"\xfd7zXZ\0", foreign("a file compressed by xz", UNPACK)),
    (b"\x28\xb5\x2f\xfd", foreign("a file compressed by Zstandard", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", foreign("a 7z archive", UNPACK)),
    (b"Rar!\x1a\x07", foreign("a RAR archive", UNPACK)),
    (b"\x04\x22\x4d\x18", foreign("a file compressed by LZ4", UNPACK)),
];

const GRAPH6: Foreign = foreign("graph6", "networkx.write_gml(networkx.read_graph6('FILE'), 'graph.gml') converts it");
const PICKLE: Foreign = foreign(
    "a Python pickle",
    "load it in Python and write the graph with networkx.write_gml; pickles can run programs",
);
const TAR: Foreign = foreign("a tar archive", UNPACK);
const SAFETENSORS: Foreign = foreign("a .safetensors file", "it holds tensors, which `two_layer align` reads");
const BINARY: Foreign = foreign("a binary file", "it is neither text nor NumPy's");

/// The format that binary content is in, if it is none that is read.
pub(super) fn binary(bytes: &[u8]) -> Option<Foreign> {
    if let Some((_, found)) = MAGIC.into_iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(found);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(TAR);
    }
    // Protocols 2 to 5 begin with their number, the older ones with an object or a list; all end with a full stop.
    let old = [&b"ccopy_reg\n"[..], b"(dp", b"(lp", b"}q", b"]q"].iter().any(|begin| bytes.starts_with(begin));
    if matches!(bytes, [0x80, 2..=5, .., b'.']) || old && bytes.trim_ascii_end().ends_with(b".") {
        return Some(PICKLE);
    }
    let header = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
    if header.is_some_and(|length| length < bytes.len() as u64) && bytes.get(8..10) == Some(b"{\"") {
        return Some(SAFETENSORS);
    }
    // UTF-16 is full of zeros, but marked.
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    (!marked && bytes.contains(&0)).then_some(BINARY)
}

/// What a ZIP archive with these files is, unless it is NumPy's.
pub(super) fn archive(names: &[String]) -> Option<Foreign> {
    let has = |part: &str| names.iter().any(|name| name.starts_with(part));
    if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
        return None;
    }
    Some(if has("xl/") {
        foreign("an Excel file (.xlsx)", SAVE_CSV)
    } else if has("content.xml") {
        foreign("an OpenDocument file (.ods)", SAVE_CSV)
    } else if names.iter().any(|name| name.ends_with("data.pkl")) {
        foreign("a checkpoint of PyTorch", "save it with safetensors.torch.save_file")
    } else if names.iter().any(|name| name.ends_with(".cys") || name.contains("CytoscapeSession")) {
        foreign("a session of Cytoscape (.cys)", "export the network as GraphML or SIF")
    } else {
        foreign("a ZIP archive", UNPACK)
    })
}

/// The format that an XML file with this root is in.
pub(super) fn xml(root: &str) -> Foreign {
    match root.to_ascii_lowercase().as_str() {
        "gexf" => foreign("GEXF", "networkx.write_graphml(networkx.read_gexf('FILE'), 'graph.graphml') converts it"),
        "graph" => foreign("XGMML (Cytoscape)", "export the network as GraphML or SIF"),
        "html" | "!doctype" => foreign("an HTML page", "was something else downloaded than meant?"),
        "svg" => foreign("a picture (SVG)", NO_GRAPH),
        "gxl" => foreign("GXL", EDGES),
        "sbml" => foreign("SBML", EDGES),
        "entryset" => foreign("PSI-MI XML", "the same data is offered as a table (MITAB)"),
        "network" => foreign("DyNetML or another XML format of networks", EDGES),
        _ => foreign("XML that is no GraphML", EDGES),
    }
}

/// The format that text is in, if it is one of graphs that is not read.
pub(super) fn text(text: &str) -> Option<Foreign> {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or("");
    let lower = first.to_ascii_lowercase();
    if lower.starts_with('*')
        && ["*vertices", "*network", "*arcs", "*edges", "*matrix"].iter().any(|k| lower.starts_with(k))
    {
        let advice = "networkx.write_gml(networkx.Graph(networkx.read_pajek('FILE')), 'graph.gml') converts it";
        return Some(foreign("Pajek (.net)", advice));
    }
    if first.starts_with(['{', '[']) && is_json(text) {
        let advice =
            "networkx.write_graphml(networkx.node_link_graph(json.load(open('FILE'))), 'graph.graphml') may convert it";
        return Some(foreign("JSON", advice));
    }
    if is_dot(text) {
        let advice = "networkx.write_graphml(networkx.nx_pydot.read_dot('FILE'), 'graph.graphml') converts it";
        return Some(foreign("Graphviz (DOT)", advice));
    }
    if lower == "dl" || lower.starts_with("dl,") {
        return Some(foreign("UCINET (DL)", EDGES));
    }
    if is_dimacs(text) {
        return Some(foreign("DIMACS (p edge, then e u v)", "remove the line p and the words e or a"));
    }
    if is_written_by_networkx(text) {
        return Some(foreign("an adjacency list of networkx", "write the graph with networkx.write_edgelist"));
    }
    if is_trivial_graph(text) {
        return Some(foreign("TGF (vertices, #, edges)", "keep the lines below # only"));
    }
    if is_large_graph_layout(text) {
        return Some(foreign("LGL (# vertex, then its neighbours)", EDGES));
    }
    if is_sparse6(text) {
        return Some(foreign("sparse6", SPARSE6));
    }
    is_graph6(text).then_some(GRAPH6)
}

fn is_json(text: &str) -> bool {
    let inside = text.trim_start().get(1..).unwrap_or("").trim_start();
    inside.starts_with(['"', '{', '[', '}', ']']) || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// `strict digraph name {`, comments before it left out.
fn is_dot(text: &str) -> bool {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("//").or_else(|| rest.strip_prefix('#')) {
        rest = comment.split_once('\n').map_or("", |(_, tail)| tail).trim_start();
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        rest = comment.split_once("*/").map_or("", |(_, tail)| tail).trim_start();
    }
    let Some((head, _)) = rest.split_once('{') else { return false };
    let words: Vec<String> = head.split_whitespace().take(4).map(str::to_ascii_lowercase).collect();
    let words = words.strip_prefix(&["strict".to_string()]).unwrap_or(&words);
    words.len() <= 2 && matches!(words.first().map(String::as_str), Some("graph" | "digraph"))
}

/// A line `p edge 5 7`, where others begin with c, e or a.
fn is_dimacs(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "c" && !line.starts_with("c "));
    let Some(line) = lines.next() else { return false };
    let words: Vec<&str> = line.split_whitespace().collect();
    let numbers = words.iter().skip(2).filter(|word| word.parse::<usize>().is_ok()).count();
    words.first() == Some(&"p") && words.len() >= 4 && numbers + 2 == words.len()
}

/// The comments before an adjacency list: the program, the time, the name of the graph.
fn is_written_by_networkx(text: &str) -> bool {
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.starts_with('#'))
        && lines.next().is_some_and(|line| line.starts_with("# GMT "))
}

/// Vertices `id label` whose labels are no ids, a line `#`, and edges between ids.
fn is_trivial_graph(text: &str) -> bool {
    // Most files are told by this alone, and read no further.
    let is_mark = |at: usize| {
        text[..at].ends_with('\n') && text[at + 1..].lines().next().is_none_or(|rest| rest.trim().is_empty())
    };
    if !text.match_indices('#').any(|(at, _)| is_mark(at)) {
        return false;
    }
    let rows = || text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| line.split_whitespace());
    let is_mark = |row: &SplitWhitespace| row.clone().eq(["#"]);
    let vertices: Vec<(Option<&str>, Option<&str>)> =
        rows().take_while(|row| !is_mark(row)).map(|mut row| (row.next(), row.next())).collect();
    let ids: HashSet<_> = vertices.iter().map(|(id, _)| *id).collect();
    let mut edges = rows().skip(vertices.len() + 1).peekable();
    !vertices.is_empty()
        && ids.len() == vertices.len()
        && vertices.iter().all(|(id, label)| id == label || !ids.contains(label))
        && edges.peek().is_some()
        && edges.all(|mut row| ids.contains(&row.next()) && ids.contains(&row.next()))
}

/// Comments of one word each, two at least, before all else, of which one is also a neighbour; between them lines of a
/// word and perhaps a number.
fn is_large_graph_layout(text: &str) -> bool {
    let (mut vertices, mut neighbours) = (HashSet::new(), HashSet::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        match words[..] {
            ["#", vertex] => _ = vertices.insert(vertex),
            _ if vertices.is_empty() || line.starts_with('#') => return false,
            [neighbour] => _ = neighbours.insert(neighbour),
            [neighbour, weight] if weight.parse::<f64>().is_ok() => _ = neighbours.insert(neighbour),
            _ => return false,
        }
    }
    vertices.len() > 1 && !vertices.is_disjoint(&neighbours)
}

/// Every line is n, by a character, and then the bits of the upper triangle, six a character.
fn is_graph6(text: &str) -> bool {
    let is_graph = |line: &str| {
        let line = line.as_bytes();
        let (n, from) = match line {
            [126, a, b, c, ..] => {
                let digit = |byte: &u8| usize::from(byte.saturating_sub(63));
                ((digit(a) << 12) + (digit(b) << 6) + digit(c), 4)
            }
            [first @ 63..126, ..] => (usize::from(first - 63), 1),
            _ => return false,
        };
        n > 4 && line.iter().all(|byte| (63..=126).contains(byte)) && line.len() - from == (n * (n - 1) / 2).div_ceil(6)
    };
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    !text.is_empty() && lines.all(is_graph)
}

/// Every line is a colon and what such formats are written in; digraph6 has an ampersand instead.
fn is_sparse6(text: &str) -> bool {
    let is_graph = |line: &str| {
        let rest = line.strip_prefix([':', '&']).unwrap_or("");
        rest.len() > 1 && rest.bytes().all(|byte| (63..=126).contains(&byte))
    };
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    !text.is_empty() && lines.all(is_graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_formats_are_known_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xyz"[..], "Excel"),
            (b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
            (b"\x80\x04\x95\x01\0\0\0\0\0\0\0.", "pickle"),
            (b"ccopy_reg\n_reconstructor\np0\n(c\xe9\n.", "pickle"),
            (b"(dp0\nS'a'\np1\nI1\ns.", "pickle"),
            (b"%PDF-1.4\n", "PDF"),
            (b"\x89PNG\r\n", "PNG"),
            (b"a b\0c d", "binary"),
            (b"\x02\0\0\0\0\0\0\0{\"a\":", "safetensors"),
            (b">>graph6<<DQc\n", "graph6"),
        ] {
            let found = binary(bytes).unwrap_or_else(|| panic!("{name}"));
            assert!(found.name.contains(name), "{name}: {}", found.name);
        }
        for bytes in [&b"a b\n"[..], b"\xff\xfea\0 \0", "é ü\n".as_bytes(), b"", b"% comment\n1 2"] {
            assert_eq!(binary(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn formats_of_text_are_known_by_how_they_begin() {
        for (content, name) in [
            ("*Vertices 3\n1 \"a\"\n*Edges\n1 2\n", "Pajek"),
            ("*network x\n", "Pajek"),
            ("{\"directed\": false, \"nodes\": []}", "JSON"),
            ("[\n  {\"id\": 1}\n]", "JSON"),
            ("[[0, 1], [1, 2]]", "JSON"),
            ("// made by hand\nstrict digraph \"G\" {\n a -> b\n}", "Graphviz"),
            ("graph{a--b}", "Graphviz"),
            ("DL n=5 format = edgelist1\n", "UCINET"),
            ("c a comment\np edge 3 2\ne 1 2\ne 2 3\n", "DIMACS"),
            ("#/usr/bin/x.py\n# GMT Sat Jan 1 00:00:00 2022\n# \n0 1 2\n1\n2\n", "networkx"),
            ("1 anna\n2 bert\n#\n1 2 knows\n", "TGF"),
            ("# anna\nbert 2.5\ncarl\n# bert\ncarl\n", "LGL"),
            ("DQc\nD?{\n", "graph6"),
            (":KcEKWb_M?QOEY?`oEXCADMj\n", "sparse6"),
        ] {
            let found = text(content).unwrap_or_else(|| panic!("{name}: {content}"));
            assert!(found.name.contains(name), "{content}: {}", found.name);
        }
        for content in [
            "a b\nb c\n",
            "# FromNodeId\tToNodeId\n0 1\n",
            "graph knows\nknows digraph\n",
            "p q\nq r\nr s\n",
            "# a comment\nanna bert\n# b\nbert carl\n",
            "# 3 vertices, 0 undirected edges\nanna\nbert\ncarl\n",
            "p edge\ne 1\n",
            "1 2\n#\n2 3\n",
            "0 1\n1 2\n2 0\n#\n0 2\n",
            "# train\n1 2\n3 4\n# test\n5 6\n",
            "",
        ] {
            assert_eq!(text(content), None, "{content}");
        }
    }

    #[test]
    fn archives_are_known_by_their_files() {
        let found = |names: &[&str]| archive(&names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
        assert_eq!(found(&["data.npy", "indices.npy"]), None);
        for (names, name) in [
            (&["[Content_Types].xml", "xl/workbook.xml"][..], "Excel"),
            (&["mimetype", "content.xml"], "OpenDocument"),
            (&["archive/data.pkl", "archive/data/0"], "PyTorch"),
            (&["a.edges"], "ZIP"),
            (&[], "ZIP"),
        ] {
            assert!(found(names).unwrap().name.contains(name), "{name}");
        }
    }

    #[test]
    fn the_refusal_names_file_format_and_a_way() {
        let message = xml("gexf").refuse::<()>(Path::new("a.gexf")).unwrap_err().to_string();
        let advice = "networkx.write_graphml(networkx.read_gexf('a.gexf'), 'graph.graphml') converts it";
        assert_eq!(message, format!("a.gexf: looks like GEXF, which is not read: {advice}"));
    }
}
