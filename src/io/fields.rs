//! The fields of a line, and which characters part them.
//!
//! ```text
//! line      = [field] {separator field} [comment]
//! separator = spaces | [spaces] ("," | ";") [spaces]        (any white space counts as spaces)
//! field     = plain | '"' {any character but '"', or '""' for one '"'} '"'
//! comment   = ("#" | "%") anything                          (where a field could begin)
//! ```
//!
//! A file whose lines have tabs, semicolons or commas is taken at its word: there, only these part fields, and
//! `New York` is one of them. See [`Separator::of`].

use super::text::lines;
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::path::Path;

/// One field of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field<'t> {
    pub text: Cow<'t, str>,
    /// A quoted field is a name even if it looks like a number or is empty.
    pub quoted: bool,
}

impl<'t> Field<'t> {
    fn plain(text: &'t str) -> Self {
        Field { text: Cow::Borrowed(text), quoted: false }
    }

    /// Whether the field is meant as a number, NaN and infinity included.
    pub fn is_number(&self) -> bool {
        !self.quoted && self.text.parse::<f64>().is_ok()
    }

    pub fn is_missing(&self) -> bool {
        !self.quoted && self.text.is_empty()
    }
}

/// What parts the fields of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// Spaces, tabs, commas and semicolons, even mixed.
    Any,
    /// This character alone, which is a tab, a semicolon or a comma.
    Only(u8),
}

/// As many lines of a file are looked at to see how it is made.
pub(super) const SAMPLE: usize = 64;

/// The first lines of `text` that are neither blank nor comments.
pub(super) fn sample(text: &str) -> impl Iterator<Item = (usize, &str)> + Clone {
    lines(text).filter(|(_, line)| !is_blank(line)).take(SAMPLE)
}

/// Whether `line` is empty or a comment.
pub(super) fn is_blank(line: &str) -> bool {
    matches!(trim_start(line).as_bytes(), [] | [b'#' | b'%', ..])
}

impl Separator {
    /// The one character that parts fields in all of the first lines of `text`, or [`Separator::Any`].
    ///
    /// Tabs come first, then what there is more of in the first line. A line without it must be one field. A file
    /// where it stands before the third field only, a weight (`anna bert,2.5`), is one with mixed separators.
    pub fn of(text: &str) -> Separator {
        let lines = || sample(text).map(|(_, line)| split_dictionary(line).0);
        let Some(first) = lines().next() else { return Separator::Any };
        let count = |separator: u8| split(first, Separator::Only(separator)).map_or(0, |fields| fields.len());
        let (commas, semicolons) = (count(b','), count(b';'));
        let mut candidates = [b'\t', b';', b','];
        if commas > semicolons {
            candidates.swap(1, 2);
        }
        let found = candidates.into_iter().find(|&separator| {
            let (mut alone, mut mixed) = (false, false);
            for line in lines() {
                let only = Separator::Only(separator);
                let (Ok(any), Ok(parts)) = (split(line, Separator::Any), split(line, only)) else { return false };
                match (parts.len(), any.len()) {
                    _ if cuts_a_quoted_field(&parts, &any, separator) => return false,
                    (0 | 1, 2..) => return false,
                    (0 | 1, _) => {}
                    (2, 3) if any[2].is_number() => mixed = true,
                    (parts, any) => alone |= parts > 2 || parts != any || !mixed,
                }
            }
            alone
        });
        found.map_or(Separator::Any, Separator::Only)
    }

    pub fn name(self) -> &'static str {
        match self {
            Separator::Any => "separators",
            Separator::Only(b'\t') => "tabs",
            Separator::Only(b';') => "semicolons",
            Separator::Only(_) => "commas",
        }
    }
}

/// Whether the separator stands within quotes: as `parts` cuts a line there, that with whatever separators does not.
fn cuts_a_quoted_field(parts: &[Field], any: &[Field], separator: u8) -> bool {
    parts.iter().any(|part| !part.quoted && part.text.contains('"'))
        && any.iter().any(|field| field.quoted && field.text.contains(char::from(separator)))
}

/// The fields of `line`, which is line number `number` of `source`. Blank and comment lines have none.
pub(super) fn fields<'t>(source: &Path, number: usize, line: &'t str, separator: Separator) -> Result<Vec<Field<'t>>> {
    let mut fields = Vec::new();
    fields_into(&mut fields, source, number, line, separator)?;
    Ok(fields)
}

/// As [`fields`], in a vector that is used again: that is what makes reading millions of lines fast.
pub(super) fn fields_into<'t>(
    fields: &mut Vec<Field<'t>>,
    source: &Path,
    number: usize,
    line: &'t str,
    separator: Separator,
) -> Result<()> {
    fields.clear();
    split_into(fields, line, separator).map_err(|cause| Error::parse(source, number, cause))?;
    let lone = matches!(&fields[..], [only] if !only.quoted && only.text.contains(char::is_whitespace));
    if lone && separator != Separator::Any {
        let cause = format!("no separator in this line, but {} in the first lines", separator.name());
        return Err(Error::parse(source, number, cause));
    }
    Ok(())
}

fn split(line: &str, separator: Separator) -> std::result::Result<Vec<Field<'_>>, &'static str> {
    let mut fields = Vec::new();
    split_into(&mut fields, line, separator).map(|()| fields)
}

fn split_into<'t>(
    fields: &mut Vec<Field<'t>>,
    line: &'t str,
    separator: Separator,
) -> std::result::Result<(), &'static str> {
    match separator {
        _ if is_blank(line) => Ok(()),
        Separator::Any => split_at_any(fields, line),
        Separator::Only(separator) => split_only_at(fields, line, separator),
    }
}

fn split_at_any<'t>(fields: &mut Vec<Field<'t>>, line: &'t str) -> std::result::Result<(), &'static str> {
    let mut rest = trim_start(line);
    let mut after_comma = false;
    while !rest.is_empty() && !rest.starts_with(['#', '%']) {
        let (field, tail) = match opened(rest) {
            Some(inside) => quoted(inside, Separator::Any)?,
            None => {
                let (text, tail) = rest.split_at(plain_length(rest));
                (Field::plain(text), tail)
            }
        };
        fields.push(field);
        rest = trim_start(tail);
        let next = rest.strip_prefix([',', ';']);
        after_comma = next.is_some();
        rest = next.map_or(rest, trim_start);
    }
    if after_comma {
        fields.push(Field::plain(""));
    }
    Ok(())
}

/// What is behind an opening quote. By bytes: comparing texts of one character calls the C library for each field.
fn opened(rest: &str) -> Option<&str> {
    (rest.as_bytes().first() == Some(&b'"')).then(|| &rest[1..])
}

/// Where the field ends that `rest` begins with. A byte at a time, as nearly all text is ASCII.
fn plain_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b' ' | b'\t'..=b'\r' | b',' | b';' => break,
            0..0x80 => at += 1,
            _ => match rest[at..].chars().next() {
                Some(character) if !character.is_whitespace() => at += character.len_utf8(),
                _ => break,
            },
        }
    }
    at
}

fn trim_start(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~', ..] => text,
        _ => text.trim_start(),
    }
}

fn trim_end(text: &str) -> &str {
    match text.as_bytes() {
        [.., b'!'..=b'~'] => text,
        _ => text.trim_end(),
    }
}

fn split_only_at<'t>(
    fields: &mut Vec<Field<'t>>,
    line: &'t str,
    separator: u8,
) -> std::result::Result<(), &'static str> {
    let space = |c: char| c.is_whitespace() && c != char::from(separator);
    let mut rest = line;
    loop {
        if !matches!(rest.as_bytes(), [b'!'..=b'~', ..]) {
            rest = rest.trim_start_matches(space);
        }
        let (field, tail) = match opened(rest) {
            Some(inside) => {
                let (field, tail) = quoted(inside, Separator::Only(separator))?;
                let tail = tail.trim_start_matches(space);
                (field, if tail.starts_with(['#', '%']) { "" } else { tail })
            }
            None => {
                let end = rest.bytes().position(|byte| byte == separator).unwrap_or(rest.len());
                (Field::plain(without_comment(trim_end(&rest[..end]))), &rest[end..])
            }
        };
        fields.push(field);
        match tail.as_bytes() {
            [] => return Ok(()),
            [found, ..] if *found == separator => rest = &tail[1..],
            _ => return Err("a separator is missing after a closing quote"),
        }
    }
}

/// `field` without the comment behind a number: `2.5 # measured`. Behind a name it may be part of the name.
fn without_comment(field: &str) -> &str {
    let Some(at) = field.bytes().position(|byte| matches!(byte, b'#' | b'%')) else { return field };
    let before = field[..at].trim_end();
    if before.len() < at && before.parse::<f64>().is_ok() { before } else { field }
}

fn quoted(inside: &str, separator: Separator) -> std::result::Result<(Field<'_>, &str), &'static str> {
    let ends = |c: char| match separator {
        Separator::Any => c.is_whitespace() || c == ',' || c == ';',
        Separator::Only(separator) => c.is_whitespace() || c == char::from(separator),
    };
    let mut from = 0;
    while let Some(quote) = inside[from..].find('"').map(|at| from + at) {
        let tail = &inside[quote + 1..];
        if tail.starts_with('"') {
            from = quote + 2;
            continue;
        }
        if !tail.is_empty() && !tail.starts_with(ends) {
            return Err("a separator is missing after a closing quote");
        }
        let raw = &inside[..quote];
        let text = if from == 0 { Cow::Borrowed(raw) } else { Cow::Owned(raw.replace("\"\"", "\"")) };
        return Ok((Field { text, quoted: true }, tail));
    }
    Err("a quote is not closed on its line")
}

/// `line` without the dictionary at its end, and that dictionary: networkx writes `anna bert {'weight': 2.5}`.
pub(super) fn split_dictionary(line: &str) -> (&str, Option<&str>) {
    let line = trim_end(line);
    if line.as_bytes().last() != Some(&b'}') {
        return (line, None);
    }
    let begins = |&(at, _): &(usize, &str)| line[..at].ends_with([' ', '\t', ',', ';']);
    let Some((at, _)) = line.match_indices('{').find(begins) else { return (line, None) };
    (line[..at].trim_end_matches([' ', '\t', ',', ';']), Some(&line[at..]))
}

/// `text` as a field that [`fields`] reads as `text`: in quotes where it needs them.
pub(super) fn quote(text: &str) -> Cow<'_, str> {
    // A byte order mark would vanish at the beginning of a file; a brace at the end looks like a dictionary.
    let special = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '{' | '}' | '\u{feff}');
    let plain = !text.is_empty() && !text.starts_with(['#', '%']) && !text.contains(special);
    if plain { Cow::Borrowed(text) } else { Cow::Owned(in_quotes(text)) }
}

/// As [`quote`], and never taken for a number.
pub(super) fn quote_name(name: &str) -> Cow<'_, str> {
    if name.parse::<f64>().is_ok() { Cow::Owned(in_quotes(name)) } else { quote(name) }
}

pub(super) fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Whether a row of a matrix has the names of the columns. A name in the first field alone is the name of a row.
pub(super) fn is_header(fields: &[Field]) -> bool {
    let decisive = if fields.len() == 1 { fields } else { &fields[1..] };
    fields[0].is_missing() || decisive.iter().any(|field| !field.is_number())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts_by(line: &str, separator: Separator) -> Vec<String> {
        let fields = fields(Path::new("f"), 1, line, separator).unwrap();
        fields.into_iter().map(|field| field.text.into_owned()).collect()
    }

    fn texts(line: &str) -> Vec<String> {
        texts_by(line, Separator::Any)
    }

    #[test]
    fn any_separator_parts_fields() {
        for line in ["a b 1", "a\tb\t1", "a,b,1", " a ;b;  1 ", "a, b 1\r", "a , b ; 1", "a\u{a0}b\u{2003}1"] {
            assert_eq!(texts(line), ["a", "b", "1"], "{line}");
        }
    }

    #[test]
    fn nothing_between_two_commas_is_an_empty_field() {
        assert_eq!(texts("a,,b"), ["a", "", "b"]);
        assert_eq!(texts(",a,"), ["", "a", ""]);
        assert!(texts("  ").is_empty());
        let commas = Separator::Only(b',');
        assert_eq!(texts_by("a,,b", commas), ["a", "", "b"]);
        assert_eq!(texts_by(",a,", commas), ["", "a", ""]);
        assert_eq!(texts_by("\ta\t", Separator::Only(b'\t')), ["", "a", ""]);
    }

    #[test]
    fn comments_begin_where_a_field_could() {
        assert_eq!(texts("a b#c # d"), ["a", "b#c"]);
        assert!(texts("# a").is_empty() && texts("%a").is_empty());
        assert_eq!(texts("\"#a\" %"), ["#a"]);
    }

    #[test]
    fn between_commas_a_comment_stands_behind_numbers_only() {
        let commas = Separator::Only(b',');
        assert_eq!(texts_by("a,2.5 # measured", commas), ["a", "2.5"]);
        assert_eq!(texts_by("\"a\",\"b\" % c", commas), ["a", "b"]);
        assert_eq!(texts_by("gene #2,#f00,a#b", commas), ["gene #2", "#f00", "a#b"]);
        assert!(texts_by("  # a,b", commas).is_empty());
    }

    #[test]
    fn quotes_keep_separators_and_double_quotes_are_quotes() {
        for separator in [Separator::Any, Separator::Only(b',')] {
            let line = r#""New York","a ""b"" c","" , x"#;
            assert_eq!(texts_by(line, separator), ["New York", "a \"b\" c", "", "x"]);
            for (line, cause) in [("\"a", "not closed"), ("\"a\"b", "separator is missing"), ("\"a\"\"", "not closed")]
            {
                let message = fields(Path::new("f"), 7, line, separator).unwrap_err().to_string();
                assert!(message.starts_with("f:7: ") && message.contains(cause), "{message}");
            }
        }
        assert_eq!(texts(r#""a" "b""#), ["a", "b"]);
        assert!(fields(Path::new("f"), 7, r#""a" "b""#, Separator::Only(b',')).is_err());
    }

    #[test]
    fn a_file_of_tabs_commas_or_semicolons_is_split_at_these_alone() {
        for (text, separator, first) in [
            ("gene 0\tgene 4\t771\n", Separator::Only(b'\t'), vec!["gene 0", "gene 4", "771"]),
            ("# x\n\nNew York,Los Angeles,2\n", Separator::Only(b','), vec!["New York", "Los Angeles", "2"]),
            ("New York;Smith, J;2\na;b;3", Separator::Only(b';'), vec!["New York", "Smith, J", "2"]),
            ("a;b,c d;e,5\n", Separator::Only(b';'), vec!["a", "b,c d", "e,5"]),
            ("a x,b\ta,y\tc", Separator::Only(b'\t'), vec!["a x,b", "a,y", "c"]),
            ("a,b\nc", Separator::Only(b','), vec!["a", "b"]),
            ("a,b {'x': 1, 'y': 2}", Separator::Only(b','), vec!["a", "b"]),
            // Mixed: the words are parted by spaces, the number by something else.
            ("1 2\t0.5\n3 4\t1.5\n", Separator::Any, vec!["1", "2", "0.5"]),
            ("a b,2\nb c,3", Separator::Any, vec!["a", "b", "2"]),
            ("a,b;2.5\nb,c;1\n", Separator::Any, vec!["a", "b", "2.5"]),
            ("a,b\nc d\n", Separator::Any, vec!["a", "b"]),
            ("a b\nc\td\n", Separator::Any, vec!["a", "b"]),
            ("\"a,b\" c\n", Separator::Any, vec!["a,b", "c"]),
            // A comma in a name that stands in quotes, behind a name that does not.
            ("c \"a,b\"\n", Separator::Any, vec!["c", "a,b"]),
            ("\",a\"\n0\n0 \",a\"\n", Separator::Any, vec![",a"]),
            ("pipe 5\",a\nb,c\n", Separator::Only(b','), vec!["pipe 5\"", "a"]),
            ("a b {'x': 1, 'y': 2}", Separator::Any, vec!["a", "b"]),
            ("", Separator::Any, vec![]),
        ] {
            assert_eq!(Separator::of(text), separator, "{text:?}");
            let line = sample(text).next().map_or("", |(_, line)| split_dictionary(line).0);
            assert_eq!(texts_by(line, separator), first, "{text:?}");
        }
    }

    #[test]
    fn a_line_without_the_separator_of_its_file_is_an_error_unless_it_is_one_word() {
        let tabs = Separator::Only(b'\t');
        assert_eq!(texts_by("lone", tabs), ["lone"]);
        assert_eq!(texts_by("\"lone one\"", tabs), ["lone one"]);
        let message = fields(Path::new("f"), 9, "gene 0 gene 1", tabs).unwrap_err().to_string();
        assert_eq!(message, "f:9: no separator in this line, but tabs in the first lines");
    }

    #[test]
    fn a_dictionary_is_what_stands_in_braces_at_the_end() {
        assert_eq!(split_dictionary("a b {}"), ("a b", Some("{}")));
        assert_eq!(split_dictionary("a,b,{'w': {'x': 1}} "), ("a,b", Some("{'w': {'x': 1}}")));
        assert_eq!(split_dictionary("a b{}"), ("a b{}", None));
        assert_eq!(split_dictionary("a {b c"), ("a {b c", None));
    }

    #[test]
    fn quoting_is_undone_by_reading() {
        for name in ["a", "", "a b", "#", "\"", "a\"b", "1", "x;y", "é\u{a0}", "{", "}", "a{}"] {
            assert_eq!(texts(&quote(name)), [name]);
            assert_eq!(texts(&quote_name(name)), [name]);
            assert!(!fields(Path::new("f"), 1, &quote_name(name), Separator::Any).unwrap()[0].is_number());
        }
    }
}
