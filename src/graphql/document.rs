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
