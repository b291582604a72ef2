//! What a graph's file is, by its content, and by its extension where the content leaves a choice.

use super::delimited::{Rows, rows_of};
use super::foreign;
use super::graph_format::GraphFormat;
use super::npz;
use super::text::decode;
use crate::error::Result;
use std::path::Path;

/// The format of `bytes`.
///
/// # Errors
/// [`Error::File`](crate::Error::File) that names a format that is not read.
pub(super) fn recognize(source: &Path, bytes: &[u8]) -> Result<GraphFormat> {
    if bytes.starts_with(b"\x93NUMPY") {
        return Ok(GraphFormat::Npy);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        let names = npz::file_names(source, bytes)?;
        return foreign::archive(&names).map_or(Ok(GraphFormat::Npz), |found| found.refuse(source));
    }
    if let Some(root) = xml_root(bytes) {
        let is_graphml = root.rsplit(':').next() == Some("graphml");
        return if is_graphml { Ok(GraphFormat::GraphMl) } else { foreign::xml(&root).refuse(source) };
    }
    if let Some(found) = foreign::binary(bytes) {
        return found.refuse(source);
    }
    let by_extension = GraphFormat::from_path(source);
    // Bytes that are no text at all are an error of the reader that would have had them.
    let Ok(text) = decode(source, bytes) else { return Ok(by_extension) };
    if let Some(format) = announced(&text) {
        return Ok(format);
    }
    if let Some(found) = foreign::text(&text) {
        return found.refuse(source);
    }
    Ok(match by_extension {
        GraphFormat::EdgeList | GraphFormat::Csv => match rows_of(&text, by_extension == GraphFormat::Csv) {
            Rows::Edges => GraphFormat::EdgeList,
            Rows::Matrix => GraphFormat::Csv,
            Rows::Interactions => GraphFormat::Sif,
        },
        format => format,
    })
}

/// The format of text that says what it is.
fn announced(text: &str) -> Option<GraphFormat> {
    let first = text.lines().next().unwrap_or("").trim_end();
    if first.to_ascii_lowercase().starts_with("%%matrixmarket") {
        return Some(GraphFormat::MatrixMarket);
    }
    let uncommented = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    if uncommented == Some("LEDA.GRAPH") {
        return Some(GraphFormat::Leda);
    }
    is_gml(text).then_some(GraphFormat::Gml)
}

/// Some keys with their values, such as `Creator "igraph"`, and then `graph [`.
fn is_gml(text: &str) -> bool {
    let mut rest = text;
    for _ in 0..64 {
        rest = rest.trim_start();
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, tail)| tail);
            continue;
        }
        let key = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
        rest = rest[key.len()..].trim_start();
        if key == "graph" {
            return rest.starts_with('[');
        }
        rest = match rest.strip_prefix('"') {
            _ if key.is_empty() => return false,
            Some(inside) => inside.split_once('"').map_or("", |(_, tail)| tail),
            None => match rest.split_once(char::is_whitespace) {
                Some((value, tail)) if value.parse::<f64>().is_ok() => tail,
                _ => return false,
            },
        };
    }
    false
}

/// The name of the root element, for XML in any encoding whose ASCII is ASCII, or in UTF-16.
fn xml_root(bytes: &[u8]) -> Option<String> {
    let begin: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).take(100_000).collect();
    let text = String::from_utf8_lossy(&begin);
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{fffd}'));
    loop {
        let inside = rest.strip_prefix('<')?;
        let is_html = inside.get(..13).is_some_and(|begin| begin.eq_ignore_ascii_case("!doctype html"));
        rest = if let Some(comment) = inside.strip_prefix("!--") {
            comment.split_once("-->")?.1
        } else if inside.starts_with(['?', '!']) && !is_html {
            inside.split_once('>')?.1
        } else {
            let end = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
            let name = inside.split(end).next().unwrap_or("");
            let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '!');
            return is_name.then(|| name.to_string());
        }
        .trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognized(name: &str, content: &str) -> std::result::Result<GraphFormat, String> {
        recognize(Path::new(name), content.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_content_decides_whatever_the_extension() {
        for (content, format) in [
            ("graph [\n  node [ id 0 ]\n]\n", GraphFormat::Gml),
            ("# c\nCreator \"x [\"\nVersion 1\ngraph\n[\n", GraphFormat::Gml),
            ("LEDA.GRAPH\nstring\n", GraphFormat::Leda),
            ("%%MatrixMarket matrix coordinate pattern general\n", GraphFormat::MatrixMarket),
            ("<?xml version=\"1.0\"?>\n<!-- c -->\n<graphml>", GraphFormat::GraphMl),
            ("\u{feff}<g:graphml xmlns:g=\"x\">", GraphFormat::GraphMl),
            ("a pp b\nb pp c\n", GraphFormat::Sif),
            ("source,target\n0,1\n", GraphFormat::EdgeList),
            ("a b\nb c\n", GraphFormat::EdgeList),
            ("0 1 0 1\n1 0 1 0\n0 1 0 1\n1 0 1 0\n", GraphFormat::Csv),
        ] {
            for name in ["a.edges", "a.txt", "-"] {
                assert_eq!(recognized(name, content), Ok(format), "{name}: {content}");
            }
        }
        let utf16: Vec<u8> = "<?xml version='1.0'?><graphml/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(recognize(Path::new("a"), &[b"\xff\xfe", &utf16[..]].concat()).unwrap(), GraphFormat::GraphMl);
        assert_eq!(recognize(Path::new("a"), b"\x93NUMPY\x01\0").unwrap(), GraphFormat::Npy);
    }

    #[test]
    fn the_extension_decides_where_the_content_leaves_a_choice() {
        for (name, content, format) in [
            ("a.csv", "0,1\n1,0\n", GraphFormat::Csv),
            ("a.edges", "0 1\n1 0\n", GraphFormat::EdgeList),
            ("a.csv.gz", "a,b\nb,c\n", GraphFormat::EdgeList),
            ("a.sif", "a b 3\n", GraphFormat::Sif),
            ("a.gml", "nothing of the kind", GraphFormat::Gml),
            ("a.mtx", "1 2 3\n", GraphFormat::MatrixMarket),
            ("a.npy", "text", GraphFormat::Npy),
            ("a.edges", "graph knows\nknows [", GraphFormat::EdgeList),
        ] {
            assert_eq!(recognized(name, content), Ok(format), "{name}");
        }
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        for (content, name) in [
            ("<?xml version=\"1.0\"?><gexf/>", "GEXF"),
            ("<!DOCTYPE html>\n<html>", "HTML"),
            ("<HTML><body>", "HTML"),
            ("<svg/>", "SVG"),
            ("<x/>", "XML that is no GraphML"),
            ("*Vertices 2\n", "Pajek"),
            ("a\0b", "binary"),
        ] {
            let message = recognized("a.graphml", content).unwrap_err();
            assert!(message.starts_with("a.graphml: looks like ") && message.contains(name), "{content}: {message}");
        }
        // A vertex may be called so.
        assert_eq!(recognized("a.edges", "<3 you\nyou me\n"), Ok(GraphFormat::EdgeList));
    }
}
