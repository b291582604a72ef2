//! The dictionary behind an edge in networkx's edge lists: `anna bert {'weight': 2.5, 'since': (1999, 'May')}`.

/// The number under the key `weight`, as Python or JSON writes it, `None` without that key.
///
/// Other values may be anything with balanced brackets; NumPy's `np.float64(2.5)` and `True` are numbers.
pub(super) fn weight_in(dictionary: &str) -> Result<Option<f64>, String> {
    let broken = || format!("the dictionary {} is broken", super::text::shown(dictionary));
    let inside = dictionary.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(broken)?;
    if inside.trim().is_empty() {
        return Ok(None);
    }
    let mut weight = None;
    for item in items(inside).ok_or_else(broken)? {
        let (key, value) = key_and_value(item).ok_or_else(broken)?;
        if key == "weight" {
            let value = number(value).ok_or_else(|| format!("weight {} is not a number", super::text::shown(value)))?;
            weight = Some(value);
        }
    }
    match weight {
        Some(value) if !value.is_finite() => Err(format!("weight '{value}' is not finite")),
        _ => Ok(weight),
    }
}

/// The parts between commas that stand in no bracket and no quotes; `None` where brackets or quotes do not match.
fn items(inside: &str) -> Option<Vec<&str>> {
    let mut items = Vec::new();
    let (mut from, mut depth) = (0, 0usize);
    let mut quote = None;
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => _ = characters.next(),
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                items.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(&inside[from..]);
    items.retain(|item| !item.trim().is_empty());
    (depth == 0 && quote.is_none()).then_some(items)
}

/// `'weight': 2.5` taken apart. A key with a backslash is not ours, and neither is one that is no string.
fn key_and_value(item: &str) -> Option<(&str, &str)> {
    let item = item.trim();
    let (key, rest) = match item.chars().next()? {
        quote @ ('\'' | '"') => item[1..].split_once(quote)?,
        _ => ("", item),
    };
    let (_, value) = rest.split_once(':')?;
    Some((key, value.trim()))
}

fn number(text: &str) -> Option<f64> {
    match text {
        "True" | "true" => return Some(1.0),
        "False" | "false" => return Some(0.0),
        _ => {}
    }
    // np.float64(2.5)
    let inner = text.strip_suffix(')').and_then(|text| text.split_once('(')).map_or(text, |(_, inner)| inner);
    inner.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_is_found_among_other_things() {
        for (text, weight) in [
            ("{}", None),
            ("{'weight': 1.0}", Some(1.0)),
            ("{\"weight\": 2}", Some(2.0)),
            ("{'weight': np.float64(0.25)}", Some(0.25)),
            ("{'weight': True, }", Some(1.0)),
            ("{'a': 'weight: 3, x', 'weight': -1e-3}", Some(-1e-3)),
            ("{'t': (1, [2, {'weight': 9}]), 'weight': 4, 'it\\'s': \"'\"}", Some(4.0)),
            ("{1: 2, 'Weight': 3}", None),
        ] {
            assert_eq!(weight_in(text), Ok(weight), "{text}");
        }
    }

    #[test]
    fn what_is_broken_is_said() {
        for (text, cause) in [
            ("{'weight': None}", "weight 'None' is not a number"),
            ("{'weight': nan}", "weight 'NaN' is not finite"),
            ("{'weight': (1}", "the dictionary '{'weight': (1}' is broken"),
            ("{'weight: 1}", "the dictionary"),
            ("{weight}", "the dictionary"),
            ("{)}", "the dictionary"),
            ("{", "the dictionary"),
        ] {
            let message = weight_in(text).unwrap_err();
            assert!(message.starts_with(cause), "{text}: {message}");
        }
    }
}
