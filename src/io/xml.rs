//! XML as text: in the encoding that it declares, and numbers in it that only some programs write.

use super::text::{decode, decode_as, shown};
use crate::error::{Error, Result};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;
use std::path::Path;

/// The text of an XML file: by its byte order mark, else by its declaration, else UTF-8.
pub(super) fn xml_text<'b>(source: &Path, bytes: &'b [u8]) -> Result<Cow<'b, str>> {
    if Encoding::for_bom(bytes).is_some() {
        return decode(source, bytes);
    }
    if bytes.starts_with(b"<\0?\0") {
        return decode_as(source, bytes, UTF_16LE);
    }
    if bytes.starts_with(b"\0<\0?") {
        return decode_as(source, bytes, UTF_16BE);
    }
    match declared(bytes) {
        None => decode(source, bytes),
        Some(name) => match Encoding::for_label(name.as_bytes()) {
            None => Err(Error::parse(source, 1, format!("the encoding {} is not known", shown(&name)))),
            // The declaration could be read as ASCII, so UTF-16 it is not.
            Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => decode(source, bytes),
            Some(encoding) if encoding == UTF_8 => decode(source, bytes),
            Some(encoding) => decode_as(source, bytes, encoding),
        },
    }
}

/// The encoding in `<?xml version="1.0" encoding="ISO-8859-1"?>`.
fn declared(bytes: &[u8]) -> Option<String> {
    let begin = bytes.get(..bytes.len().min(300)).map(String::from_utf8_lossy)?;
    let declaration = begin.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    Some(value[1..].split_once(quote)?.0.to_string())
}

/// A finite number in C's hexadecimal notation, `0x1.8p+1`, in which graph-tool writes numbers exactly.
pub(super) fn hexadecimal(text: &str) -> Option<f64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"))?;
    let (mantissa, exponent) = digits.split_once(['p', 'P']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (mut value, mut scale) = (0.0, 0i32);
    for (digit, behind) in whole.chars().map(|c| (c, 0)).chain(fraction.chars().map(|c| (c, 4))) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
        scale -= behind;
    }
    let exponent = exponent.parse::<i32>().ok()?.checked_add(scale)?.clamp(-4000, 4000);
    // In two steps, as 2 to the exponent alone may be out of range.
    let half = exponent / 2;
    let number = sign * value * 2f64.powi(half) * 2f64.powi(exponent - half);
    (!whole.is_empty() && number.is_finite()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_encoding_counts() {
        let text =
            |bytes: &[u8]| xml_text(Path::new("f"), bytes).map(Cow::into_owned).map_err(|error| error.to_string());
        let declaration = |name: &str| format!("<?xml version='1.0' encoding = \"{name}\"?><a/>");
        let latin = [declaration("ISO-8859-1").as_bytes(), b"\xe9"].concat();
        assert!(text(&latin).unwrap().ends_with("<a/>é"));
        let cyrillic = [declaration("windows-1251").as_bytes(), b"\xc6"].concat();
        assert!(text(&cyrillic).unwrap().ends_with('Ж'));
        let utf16: Vec<u8> = "<?xml version='1.0'?>é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(text(&utf16).unwrap().ends_with('é'));
        assert!(text(&[b"\xfe\xff", &utf16[..]].concat()).unwrap().ends_with("?>é"));
        assert!(text(declaration("UTF-16").as_bytes()).unwrap().ends_with("<a/>"));
        assert_eq!(text(declaration("x").as_bytes()), Err("f:1: the encoding 'x' is not known".to_string()));
        assert_eq!(text(b"<a>\n\xe9</a>"), Err("f:2: not UTF-8 text: save it as UTF-8".to_string()));
    }

    #[test]
    fn hexadecimal_numbers_are_read() {
        for (text, number) in [
            ("0x1.8p+1", Some(3.0)),
            ("-0x1p-3", Some(-0.125)),
            ("0X1.999999999999AP-4", Some(0.1)),
            ("0x10", Some(16.0)),
            ("0x0p+0", Some(0.0)),
            ("0x0.0000000000001p-1022", Some(5e-324)),
            ("0x1.fffffffffffffp+1023", Some(f64::MAX)),
            ("0x1p+1024", None),
            ("0x.8p0", None),
            ("0xg", None),
            ("0x1p", None),
            ("0x1p99999999999", None),
            ("1.5", None),
            ("0x", None),
        ] {
            assert_eq!(hexadecimal(text), number, "{text}");
        }
    }
}
