//! What all text formats share: decoding, lines, fields, numbers.
//!
//! A line is a list of fields and perhaps a comment:
//!
//! ```text
//! line      = [field] {separator field} [comment]
//! separator = spaces | [spaces] ("," | ";") [spaces]        (any white space counts as spaces)
//! field     = plain | '"' {any character but '"', or '""' for one '"'} '"'
//! comment   = ("#" | "%") anything                          (where a field could begin)
//! ```

use crate::error::{Error, Result};
use std::borrow::Cow;
use std::fmt::Display;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Whether `path` is `-`.
pub(super) fn is_standard_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// What messages call `path`: its stream when it is `-`.
pub(super) fn source_name<'p>(path: &'p Path, stream: &'p str) -> &'p Path {
    if is_standard_stream(path) { Path::new(stream) } else { path }
}

/// All bytes of a file, or of standard input for `-`, and what messages call it.
pub(super) fn read_source(path: &Path) -> Result<(PathBuf, Vec<u8>)> {
    let name = source_name(path, "<stdin>");
    let bytes = if is_standard_stream(path) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    Ok((name.to_path_buf(), bytes.map_err(|error| Error::io(name, error))?))
}

/// The text in `bytes`, without a byte order mark.
pub(super) fn decode<'b>(source: &Path, bytes: &'b [u8]) -> Result<&'b str> {
    let cause = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16; save it as UTF-8",
        [0x1f, 0x8b, ..] => "the file is compressed by gzip; unpack it first",
        _ => "not UTF-8 text",
    };
    let text =
        std::str::from_utf8(bytes).map_err(|error| Error::parse(source, line_of(bytes, error.valid_up_to()), cause))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The line, counted from 1, in which the byte at `offset` is.
pub(super) fn line_of(bytes: &[u8], offset: usize) -> usize {
    1 + bytes[..offset.min(bytes.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// The lines of `text` with their numbers; `\n` and `\r\n` end a line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// One field of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field<'t> {
    pub text: Cow<'t, str>,
    /// A quoted field is a name even if it looks like a number or is empty.
    pub quoted: bool,
}

impl Field<'_> {
    /// Whether the field is meant as a number, NaN and infinity included.
    pub fn is_number(&self) -> bool {
        !self.quoted && self.text.parse::<f64>().is_ok()
    }

    pub fn is_missing(&self) -> bool {
        !self.quoted && self.text.is_empty()
    }
}

/// The fields of `line`, which is line number `number` of `source`. Blank and comment lines have none.
pub(super) fn fields<'t>(source: &Path, number: usize, line: &'t str) -> Result<Vec<Field<'t>>> {
    let mut fields = Vec::new();
    let mut rest = line.trim_start();
    let mut after_comma = false;
    while !rest.is_empty() && !rest.starts_with(['#', '%']) {
        let (field, tail) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside).map_err(|cause| Error::parse(source, number, cause))?,
            None => plain(rest),
        };
        fields.push(field);
        rest = tail.trim_start();
        let next = rest.strip_prefix([',', ';']);
        after_comma = next.is_some();
        rest = next.unwrap_or(rest).trim_start();
    }
    if after_comma {
        fields.push(Field { text: Cow::Borrowed(""), quoted: false });
    }
    Ok(fields)
}

fn plain(rest: &str) -> (Field<'_>, &str) {
    let end = rest.find(|c: char| c.is_whitespace() || c == ',' || c == ';').unwrap_or(rest.len());
    let (text, tail) = rest.split_at(end);
    (Field { text: Cow::Borrowed(text), quoted: false }, tail)
}

fn quoted(inside: &str) -> std::result::Result<(Field<'_>, &str), &'static str> {
    let mut from = 0;
    while let Some(quote) = inside[from..].find('"').map(|at| from + at) {
        let tail = &inside[quote + 1..];
        if tail.starts_with('"') {
            from = quote + 2;
            continue;
        }
        if !tail.is_empty() && !tail.starts_with(|c: char| c.is_whitespace() || c == ',' || c == ';') {
            return Err("a separator is missing after a closing quote");
        }
        let raw = &inside[..quote];
        let text = if from == 0 { Cow::Borrowed(raw) } else { Cow::Owned(raw.replace("\"\"", "\"")) };
        return Ok((Field { text, quoted: true }, tail));
    }
    Err("a quote is not closed on its line")
}

/// `text` as a field that [`fields`] reads as `text`: in quotes where it needs them.
pub(super) fn quote(text: &str) -> Cow<'_, str> {
    // A byte order mark would vanish at the beginning of a file.
    let special = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\u{feff}');
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

/// The finite number in `text`; `what` it is goes into the message.
pub(super) fn finite(source: &Path, line: usize, what: impl Display, text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Error::parse(source, line, format!("{what} {} is not finite", shown(text)))),
        Err(_) => Err(Error::parse(source, line, format!("{what} {} is not a number", shown(text)))),
    }
}

/// `text` in quotes for a message.
pub(super) fn shown(text: &str) -> String {
    format!("'{}'", legible(text, 40))
}

/// `text` for a message: at most `most` characters, and no control characters, which could garble a terminal.
pub(super) fn legible(text: &str, most: usize) -> String {
    let mut legible = String::new();
    for (index, character) in text.chars().enumerate() {
        match character {
            _ if index == most => {
                legible.push('…');
                break;
            }
            _ if character.is_control() => legible.extend(character.escape_default()),
            _ => legible.push(character),
        }
    }
    legible
}

/// A number as the shortest text that reads back as the same number.
pub(super) fn number(value: f64) -> String {
    // {:?} switches to exponents where {} would print hundreds of digits, but adds ".0" to whole numbers.
    let text = format!("{value:?}");
    text.strip_suffix(".0").map(str::to_string).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        fields(Path::new("f"), 1, line).unwrap().into_iter().map(|field| field.text.into_owned()).collect()
    }

    #[test]
    fn any_separator_parts_fields() {
        for line in ["a b 1", "a\tb\t1", "a,b,1", " a ;b;  1 ", "a, b 1\r", "a , b ; 1"] {
            assert_eq!(texts(line), ["a", "b", "1"], "{line}");
        }
    }

    #[test]
    fn nothing_between_two_commas_is_an_empty_field() {
        assert_eq!(texts("a,,b"), ["a", "", "b"]);
        assert_eq!(texts(",a,"), ["", "a", ""]);
        assert!(texts("  ").is_empty());
    }

    #[test]
    fn comments_begin_where_a_field_could() {
        assert_eq!(texts("a b#c # d"), ["a", "b#c"]);
        assert!(texts("# a").is_empty() && texts("%a").is_empty());
        assert_eq!(texts("\"#a\" %"), ["#a"]);
    }

    #[test]
    fn quotes_keep_separators_and_double_quotes_are_quotes() {
        assert_eq!(texts(r#""New York","a ""b"" c";"" x"#), ["New York", "a \"b\" c", "", "x"]);
        for (line, cause) in [("\"a", "not closed"), ("\"a\"b", "separator is missing"), ("\"a\"\"", "not closed")] {
            let message = fields(Path::new("f"), 7, line).unwrap_err().to_string();
            assert!(message.starts_with("f:7: ") && message.contains(cause), "{message}");
        }
    }

    #[test]
    fn quoting_is_undone_by_reading() {
        for name in ["a", "", "a b", "#", "\"", "a\"b", "1", "x;y", "é\u{a0}"] {
            assert_eq!(texts(&quote(name)), [name]);
            assert_eq!(texts(&quote_name(name)), [name]);
            assert!(!fields(Path::new("f"), 1, &quote_name(name)).unwrap()[0].is_number());
        }
    }

    #[test]
    fn text_is_utf8_or_an_error_with_its_line() {
        let file = Path::new("f");
        assert_eq!(decode(file, b"\xef\xbb\xbfa b").unwrap(), "a b");
        assert_eq!(decode(file, b"a\nb\xff\n").unwrap_err().to_string(), "f:2: not UTF-8 text");
        assert!(decode(file, b"\xff\xfea\0").unwrap_err().to_string().contains("UTF-16"));
        assert!(decode(file, b"\x1f\x8b\x08").unwrap_err().to_string().contains("gzip"));
    }

    #[test]
    fn messages_show_text_short_and_without_control_characters() {
        assert_eq!(shown("it's\u{1b}[2J\t"), "'it's\\u{1b}[2J\\t'");
        assert_eq!(legible("abcd", 4), "abcd");
        assert_eq!(legible("abcde", 4), "abcd…");
    }

    #[test]
    fn numbers_are_short_and_read_back_exactly() {
        for value in [0.0, 1.0, -3.0, 0.1, 1e300, 5e-324, f64::MAX, 123456789.0] {
            assert_eq!(number(value).parse::<f64>().unwrap(), value);
        }
        assert_eq!((number(3.0), number(1e300)), ("3".to_string(), "1e300".to_string()));
    }
}
