//! Documents before they are parsed.

use std::borrow::Cow;

/// Writes surrogate pairs in a document's strings (`\uD83D\uDE00`) as the characters that they stand for, and refuses
/// surrogates that stand alone: the parser behind knows neither, and would panic.
pub fn without_surrogates(document: &str) -> Result<Cow<'_, str>, &'static str> {
    let mut whole: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    let rest = |from: usize| document.get(from..).unwrap_or_default();
    while let Some(found) = rest(at).find('\\') {
        let start = at + found;
        let Some(unit) = escaped_unit(rest(start)) else {
            // Another escape: its second character, which may be a backslash, belongs to it.
            at = start + 1 + rest(start + 1).chars().next().map_or(0, char::len_utf8);
            continue;
        };
        at = start + 6;
        if !(0xD800..=0xDFFF).contains(&unit) {
            continue;
        }
        let low = escaped_unit(rest(at)).ok_or("a surrogate stands alone in a string")?;
        let character = char::decode_utf16([unit, low]).next().and_then(Result::ok);
        let character = character.ok_or("a surrogate stands alone in a string")?;
        let text = whole.get_or_insert_default();
        text.push_str(document.get(copied..start).unwrap_or_default());
        text.push(character);
        at += 6;
        copied = at;
    }
    Ok(match whole {
        Some(mut text) => {
            text.push_str(rest(copied));
            Cow::Owned(text)
        }
        None => Cow::Borrowed(document),
    })
}

/// How deeply brackets of any kind may be nested in a document.
const MAX_BRACKETS: usize = 100;

/// Whether brackets are nested more deeply than any useful document does it. The parser behind goes down once for
/// each, and an exhausted stack takes the whole server with it.
#[must_use]
pub fn too_deep(document: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = document;
    while let Some(at) = rest.find(['{', '[', '(', '}', ']', ')', '"', '#']) {
        let (found, behind) = rest.get(at..).unwrap_or_default().split_at(1);
        rest = match found {
            "{" | "[" | "(" => {
                depth += 1;
                deepest = deepest.max(depth);
                behind
            }
            "}" | "]" | ")" => {
                depth = depth.saturating_sub(1);
                behind
            }
            "#" => behind
                .find(['\n', '\r'])
                .and_then(|end| behind.get(end..))
                .unwrap_or_default(),
            _ => behind_string(behind),
        };
    }
    deepest > MAX_BRACKETS
}

/// What follows a string whose opening quote was read.
fn behind_string(text: &str) -> &str {
    let (mut rest, end) = match text.strip_prefix("\"\"") {
        Some(block) => (block, "\"\"\""),
        None => (text, "\""),
    };
    let block = end.len() == 3;
    while let Some(at) = rest.find(['\\', '"', '\n', '\r']) {
        let found = rest.get(at..).unwrap_or_default();
        if found.starts_with(end) {
            return found.get(end.len()..).unwrap_or_default();
        }
        let skip = match found.as_bytes().first() {
            Some(b'\\') if block => {
                if found.starts_with("\\\"\"\"") {
                    4
                } else {
                    1
                }
            }
            Some(b'\\') => {
                1 + found
                    .get(1..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8)
            }
            // A line's end ends an unterminated string, too.
            Some(b'\n' | b'\r') if !block => return found,
            _ => 1,
        };
        rest = found.get(skip..).unwrap_or_default();
    }
    ""
}

/// The UTF-16 unit of `\uXXXX` at the beginning of a text.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_outside_of_strings_and_comments() {
        let nested = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
        assert!(!too_deep(&nested("{a", "}", 100)) && too_deep(&nested("{a", "}", 101)));
        assert!(too_deep(&nested("[", "", 101)) && too_deep(&nested("(", ")", 101)));
        let many = "[".repeat(200);
        for shallow in [
            format!("{{ a(b: \"{many}\") }}"),
            format!("{{ a(b: \"\\\"{many}\") }}"),
            format!("{{ a(b: \"\"\"\\\"\"\"{many}\"\"\") }}"),
            format!("# {many}\n{{ a }}"),
            "{ a }".repeat(200),
            nested("", "}", 200),
        ] {
            assert!(!too_deep(&shallow), "{shallow}");
        }
        for deep in [
            format!("{{ a(b: \"\", c: {many}) }}"),
            format!("# x\n{many}"),
            format!("\"x\n{many}"),
        ] {
            assert!(too_deep(&deep), "{deep}");
        }
    }

    #[test]
    fn pairs_become_characters_and_lone_surrogates_are_refused() {
        for (given, expected) in [
            (r#"{ a(b: "x") }"#, r#"{ a(b: "x") }"#),
            (r#"{ a(b: "\uD83D\uDE00!\u00e9") }"#, r#"{ a(b: "😀!\u00e9") }"#),
            (r#"{ a(b: "\\uD83D") }"#, r#"{ a(b: "\\uD83D") }"#),
            (r"\", r"\"),
            (r"\ü", r"\ü"),
        ] {
            assert_eq!(without_surrogates(given).as_deref(), Ok(expected));
        }
        for bad in [
            r#""\uD83D""#,
            r#""\uDE00""#,
            r#""\uD83D\u0041""#,
            r#""\uD83Dx""#,
            r#""\uDE00\uD83D""#,
        ] {
            assert!(without_surrogates(bad).is_err(), "{bad}");
        }
    }
}
