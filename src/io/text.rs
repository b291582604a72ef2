//! What all text formats share: decoding, lines, numbers, and how messages show them.

use crate::error::{Error, Result};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

/// Whether `path` is `-`.
pub(super) fn is_standard_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// What messages call `path`: its stream when it is `-`.
pub(super) fn source_name<'p>(path: &'p Path, stream: &'p str) -> &'p Path {
    if is_standard_stream(path) { Path::new(stream) } else { path }
}

/// The text in `bytes`: UTF-8, or UTF-16 with its byte order mark, which is left out.
pub(super) fn decode<'b>(source: &Path, bytes: &'b [u8]) -> Result<Cow<'b, str>> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let text = decode_as(source, &bytes[mark..], encoding)?;
    // Only old Macs, and Excel where it writes for them, end lines by `\r` alone.
    let old_mac = !text.contains('\n') && text.contains('\r');
    Ok(if old_mac { Cow::Owned(text.replace('\r', "\n")) } else { text })
}

/// The text in `bytes`, which have no byte order mark, in an encoding that is known.
pub(super) fn decode_as<'b>(source: &Path, bytes: &'b [u8], encoding: &'static Encoding) -> Result<Cow<'b, str>> {
    if encoding == UTF_8 {
        let gzip = bytes.starts_with(b"\x1f\x8b");
        let cause =
            if gzip { "the file is compressed by gzip; unpack it first" } else { "not UTF-8 text: save it as UTF-8" };
        let text = std::str::from_utf8(bytes);
        return text
            .map(Cow::Borrowed)
            .map_err(|error| Error::parse(source, line_of(bytes, error.valid_up_to()), cause));
    }
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    if broken {
        let what = if [UTF_16LE, UTF_16BE].contains(&encoding) { "it begins as" } else { "it declares to be" };
        return Err(Error::file(source, format!("not {} text, which {what}", encoding.name())));
    }
    Ok(text)
}

/// The line, counted from 1, in which the byte at `offset` is.
pub(super) fn line_of(bytes: &[u8], offset: usize) -> usize {
    1 + bytes[..offset.min(bytes.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// The lines of `text` with their numbers; `\n` and `\r\n` end a line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> + Clone {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The finite number in `text`; `what` it is goes into the message.
pub(super) fn finite(source: &Path, line: usize, what: impl Display, text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Error::parse(source, line, format!("{what} {} is not finite", shown(text)))),
        Err(_) => {
            let comma = text.replacen(',', ".", 1).parse::<f64>().is_ok();
            let hint = if comma { ": decimals are written with a point" } else { "" };
            Err(Error::parse(source, line, format!("{what} {} is not a number{hint}", shown(text))))
        }
    }
}

/// `text` in quotes for a message.
pub(super) fn shown(text: &str) -> String {
    format!("'{}'", legible(text, 40))
}

/// `text` for a message: at most `most` bytes as it is shown, and no control characters, which could garble a terminal.
pub(super) fn legible(text: &str, most: usize) -> String {
    let mut legible = String::new();
    let mut shown = 0;
    for character in text.chars() {
        let plain = if character.is_control() { character.escape_default().to_string() } else { character.into() };
        shown += plain.len();
        if shown > most {
            legible.push('…');
            break;
        }
        legible.push_str(&plain);
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

    #[test]
    fn text_is_utf8_or_marked_utf16_or_an_error_with_its_line() {
        let file = Path::new("f");
        assert_eq!(decode(file, b"\xef\xbb\xbfa b").unwrap(), "a b");
        assert_eq!(decode(file, b"\xff\xfea\0\t\0\xe9\0").unwrap(), "a\té");
        assert_eq!(decode(file, b"\xfe\xff\0a\0\n").unwrap(), "a\n");
        assert_eq!(decode(file, b"a\nb\xff\n").unwrap_err().to_string(), "f:2: not UTF-8 text: save it as UTF-8");
        assert_eq!(decode(file, b"\xff\xfea").unwrap_err().to_string(), "f: not UTF-16LE text, which it begins as");
        assert!(decode(file, b"\x1f\x8b\x08").unwrap_err().to_string().contains("gzip"));
    }

    #[test]
    fn old_mac_line_ends_are_line_ends() {
        let file = Path::new("f");
        assert_eq!(decode(file, b"a b\rc d\r").unwrap().lines().collect::<Vec<_>>(), ["a b", "c d"]);
        assert_eq!(decode(file, b"a b\r\nc\rd").unwrap().lines().collect::<Vec<_>>(), ["a b", "c\rd"]);
    }

    #[test]
    fn messages_show_text_short_and_without_control_characters() {
        assert_eq!(shown("it's\u{1b}[2J\t"), "'it's\\u{1b}[2J\\t'");
        assert_eq!(legible("abcd", 4), "abcd");
        assert_eq!(legible("abcde", 4), "abcd…");
        // What is escaped is longer than it was.
        assert_eq!(legible("a\0\0b", 6), "a\\u{0}…");
        assert_eq!(legible("äöü", 5), "äö…");
    }

    #[test]
    fn numbers_are_short_and_read_back_exactly() {
        for value in [0.0, 1.0, -3.0, 0.1, 1e300, 5e-324, f64::MAX, 123456789.0] {
            assert_eq!(number(value).parse::<f64>().unwrap(), value);
        }
        assert_eq!((number(3.0), number(1e300)), ("3".to_string(), "1e300".to_string()));
    }

    #[test]
    fn a_decimal_comma_is_pointed_out() {
        let message = finite(Path::new("f"), 3, "weight", "0,5").unwrap_err().to_string();
        assert_eq!(message, "f:3: weight '0,5' is not a number: decimals are written with a point");
    }
}
