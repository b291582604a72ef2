//! What text in rows and fields holds: a matrix, edges, or interactions.

use super::columns::{self, Header, Sure};
use super::fields::{Field, Separator, fields, is_blank, is_header, sample, split_dictionary};
use super::text::lines;
use std::collections::HashSet;
use std::path::Path;

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// A row an edge.
    Edges,
    /// A row of the adjacency matrix each.
    Matrix,
    /// A vertex, a word, further vertices: Cytoscape's SIF.
    Interactions,
}

/// What `text` holds.
///
/// The same names before the rows as above the columns are a matrix; a header with words such as `source` and `target`
/// is one of edges. Else a square of numbers is a matrix: of four columns or more, below names if it is symmetric, and
/// any where `csv` says that a matrix is likely. Then numbers that cannot be edges are one as well, for want of whole
/// numbers in two columns or of a weight other than 0. The rest is edges, unless the second column holds the same few
/// words over and over and the third no numbers.
pub(super) fn rows_of(text: &str, csv: bool) -> Rows {
    let separator = Separator::of(text);
    let data: Vec<Vec<Field>> = sample(text).filter_map(|(line, row)| split(line, row, separator)).collect();
    let Some(first) = data.first() else { return if csv { Rows::Matrix } else { Rows::Edges } };
    if sample(text).any(|(_, line)| split_dictionary(line).1.is_some()) {
        return Rows::Edges;
    }
    if is_square_with_names(text, &data) {
        return Rows::Matrix;
    }
    let sure = match columns::header(Path::new(""), text, separator) {
        Ok(Header::Certain(_, columns)) => Some(columns.sure),
        Ok(Header::IfUnseen(sure)) => Some(sure),
        _ => None,
    };
    if sure < Some(Sure::Entirely) && is_matrix(text, &data, csv, sure) {
        return Rows::Matrix;
    }
    if sure.is_some() {
        return Rows::Edges;
    }
    if !csv && are_interactions(&data) && first.len() > 2 { Rows::Interactions } else { Rows::Edges }
}

fn split(line: usize, row: &str, separator: Separator) -> Option<Vec<Field<'_>>> {
    fields(Path::new(""), line, split_dictionary(row).0, separator).ok()
}

/// Lines that are neither blank nor comments, as far as `most` of them.
fn height(text: &str, most: usize) -> usize {
    lines(text).filter(|(_, line)| !is_blank(line)).take(most).count()
}

/// Names above the columns, and the same ones before the rows.
fn is_square_with_names(text: &str, data: &[Vec<Field>]) -> bool {
    let [head, first, ..] = data else { return false };
    let width = first.len() - 1;
    let names = &head[head.len().saturating_sub(width)..];
    let before: Vec<&str> = data[1..].iter().filter_map(|row| Some(&*row.first()?.text)).collect();
    is_header(head)
        && (head.len() == width || head.len() == width + 1)
        && first[1..].iter().all(Field::is_number)
        && names.iter().zip(before).all(|(above, before)| above.text == before)
        && height(text, width + 2) == width + 1
}

fn is_matrix(text: &str, data: &[Vec<Field>], csv: bool, sure: Option<Sure>) -> bool {
    let has_header = is_header(&data[0]);
    let Some(first) = data.get(usize::from(has_header)) else { return csv };
    let named = !first[0].is_number() || has_header && (data[0][0].is_missing() || data[0].len() + 1 == first.len());
    let width = first.len() - usize::from(named);
    if width == 0 || !first[first.len() - width..].iter().all(Field::is_number) {
        return false;
    }
    // It matters whether there are as many as columns, or one more.
    let rows = height(text, width + 3) - usize::from(has_header);
    match width {
        4.. if rows == width => true,
        // Names such as gene1 and gene2 may be those of vertices or of ends.
        _ if rows == width && has_header && (sure == Some(Sure::Quite) || !csv) => is_symmetric(&data[1..]),
        _ if rows == width => csv,
        4.. => csv || counts(first) && rows == width + 1,
        _ if !csv => false,
        _ if named => width == 1,
        _ if rows == width + 1 && counts(first) => is_symmetric(&data[1..]),
        _ => !could_be_edges(&data[usize::from(has_header)..]),
    }
}

/// 0, 1, … or 1, 2, …: what data frames without names have above their columns.
fn counts(first: &[Field]) -> bool {
    let from = |start: usize| first.iter().enumerate().all(|(k, field)| field.text == (start + k).to_string());
    from(0) || from(1)
}

fn is_symmetric(rows: &[Vec<Field>]) -> bool {
    let entry =
        |i: usize, j: usize| rows.get(i).and_then(|row| row.get(j)).and_then(|field| field.text.parse::<f64>().ok());
    (0..rows.len()).all(|i| (0..i).all(|j| entry(i, j).is_some() && entry(i, j) == entry(j, i)))
}

/// `u v` or `u v w` with whole numbers for vertices, and some weight.
fn could_be_edges(rows: &[Vec<Field>]) -> bool {
    let whole = |field: &Field| !field.is_number() || columns::is_integer(&field.text);
    let weight = |row: &Vec<Field>| row.get(2).is_none_or(|field| field.text.parse() != Ok(0.0));
    rows.iter().all(|row| matches!(row.len(), 2 | 3) && row.iter().take(2).all(whole)) && rows.iter().any(weight)
}

/// Words that Cytoscape's files have between vertices.
const INTERACTIONS: [&str; 10] = ["pp", "pd", "pr", "rc", "cr", "gl", "pm", "mp", "dp", "interacts_with"];

/// Rows `a pp b`: all with a usual word, or with few words which are no vertices, and no numbers behind them.
fn are_interactions(data: &[Vec<Field>]) -> bool {
    let rows: Vec<&Vec<Field>> = data.iter().filter(|row| row.len() > 1).collect();
    if rows.is_empty() || rows.iter().any(|row| row.len() == 2) {
        return false;
    }
    let words: HashSet<&str> = rows.iter().map(|row| &*row[1].text).collect();
    let vertices: HashSet<&str> =
        rows.iter().flat_map(|row| row[..1].iter().chain(&row[2..])).map(|field| &*field.text).collect();
    let are_usual = words.iter().all(|word| INTERACTIONS.iter().any(|usual| usual.eq_ignore_ascii_case(word)));
    let are_few = words.len() * 2 <= rows.len() && words.is_disjoint(&vertices);
    are_usual || are_few && rows.iter().all(|row| !row[2].is_number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_of_numbers_is_a_matrix_where_csv_says_so_or_it_is_large() {
        for text in
            ["0,1\n1,0", "0,1,2\n1,0,3\n2,3,0", "x,y\n0,2\n2,1", "x,0,1\ny,1,0", "1,2\n0,2\n2,1", "7", "0,1\nx,0"]
        {
            assert_eq!(rows_of(text, true), Rows::Matrix, "{text}");
        }
        for text in ["0 1\n1 0", "0 1 2\n1 0 3\n2 3 0", "0 1 2\n1 2 3\n"] {
            assert_eq!(rows_of(text, false), Rows::Edges, "{text}");
        }
        let four = "0 1 0 0\n1 0 1 0\n0 1 0 1\n0 0 1 0\n";
        assert_eq!((rows_of(four, true), rows_of(four, false)), (Rows::Matrix, Rows::Matrix));
        assert_eq!(rows_of(&format!("0 1 2 3\n{four}"), false), Rows::Matrix);
        let named = "\tx\ty\nx\t0\t1\ny\t1\t0\n";
        assert_eq!((rows_of(named, true), rows_of(named, false)), (Rows::Matrix, Rows::Matrix));
        let vertices = "node1 node2 node3\n0 1 1\n1 0 2\n1 2 0\n";
        assert_eq!((rows_of(vertices, true), rows_of(vertices, false)), (Rows::Matrix, Rows::Matrix));
        let ends = "gene1 gene2 score\n1 2 5\n2 3 1\n3 1 2\n";
        assert_eq!((rows_of(ends, true), rows_of(ends, false)), (Rows::Edges, Rows::Edges));
        assert_eq!(rows_of(&format!("w,x,y,z\n{}", four.replace(' ', ",")), true), Rows::Matrix);
        assert_eq!(rows_of("w,x,y,z\n1,2,3,4\n", true), Rows::Matrix);
        assert_eq!(rows_of("\tsource\ttarget\nsource\t0\t1\ntarget\t1\t0\n", false), Rows::Matrix);
    }

    #[test]
    fn rows_that_name_two_vertices_are_edges() {
        for text in [
            "0,4,771\n0,5,186\n1,7,312\n1,10,591\n",
            "source,target\n0,1\n1,2",
            "source,target,weight\n0,1,2\n1,2,1\n2,0,3",
            "anna,bert\nbert,carl\ncarl,anna",
            "a,b,2\nb,c,1\n",
            "0,1,5\n1,2,7\n",
            "a,b,{'weight': 1}\nb,c,{}\n",
        ] {
            assert_eq!(rows_of(text, true), Rows::Edges, "{text}");
        }
        // Numbers that can be no edges are a matrix, which then is not square.
        for text in ["0,1,0\n1,0,0\n", "0.5,0.2,1\n0.1,0.7,2\n", "1,2,3,4\n5,6,7,8\n", ""] {
            assert_eq!(rows_of(text, true), Rows::Matrix, "{text}");
        }
    }

    #[test]
    fn a_word_between_names_is_an_interaction() {
        for text in ["a pp b\nb pp c d\n", "1 pp 2\n2 pd 3\n", "a\tbinds to\tb\nlone\nb\tbinds to\tc\n"] {
            assert_eq!(rows_of(text, false), Rows::Interactions, "{text}");
        }
        for text in ["a b c\nb c d\n", "a b heavy\n", "a b 2\nb c 1\n", "a pp\nb pp\n", "a b\n", "1 2 3\n"] {
            assert_eq!(rows_of(text, false), Rows::Edges, "{text}");
        }
    }
}
