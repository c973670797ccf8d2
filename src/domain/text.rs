//! Texts that people write: lengths, forbidden characters, e-mail addresses.

use serde::{Deserialize, Serialize};

use super::rejection::{Field, Invalid};

/// Checks a text: 1 to `max` characters, no U+0000 (which one of the engines can't store).
pub fn required(text: &str, max: usize) -> Result<String, Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(Field::Other, "must not be empty"));
    }
    bounded(text, max)
}

/// Checks a text that may be empty: at most `max` characters, no U+0000.
pub fn bounded(text: &str, max: usize) -> Result<String, Invalid> {
    // Bytes first: counting the characters of a huge text is work that an attacker would like us to do.
    if text.len() > max.saturating_mul(4) || text.chars().count() > max {
        return Err(Invalid::new(
            Field::Other,
            format!("must have at most {max} characters"),
        ));
    }
    if text.contains('\0') {
        return Err(Invalid::new(Field::Other, "must not contain the character U+0000"));
    }
    Ok(text.to_owned())
}

/// An e-mail address as it was written, plausible but not proven to exist. At most 320 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address: one `@`, something in front of it, a name with letters behind it, no spaces or controls.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = bounded(text, 320)?;
        let valid = text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !local.contains('@')
                && !domain.is_empty()
                && !domain.starts_with(['.', '-'])
                && !domain.ends_with(['.', '-'])
                && !domain.contains("..")
                && domain.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'))
        });
        if valid && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            Ok(Self(text))
        } else {
            Err(Invalid::new(Field::Other, "is not an e-mail address"))
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are compared: lower case, by Unicode's simple mapping.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// The longest slug, in characters.
const MAX_SLUG: usize = 63;

/// What is wrong with the form of a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlugProblem {
    /// It is empty.
    Empty,
    /// It has more than 63 characters.
    TooLong,
    /// It has something else than lower-case letters, digits and single hyphens between them.
    IllegalCharacters,
}

/// All that is wrong with the form of a slug.
#[must_use]
pub fn slug_problems(text: &str) -> Vec<SlugProblem> {
    let legal = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let legal = legal && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--");
    let problems = [
        (text.is_empty(), SlugProblem::Empty),
        (text.chars().count() > MAX_SLUG, SlugProblem::TooLong),
        (!legal, SlugProblem::IllegalCharacters),
    ];
    let there = problems.into_iter().filter(|(there, _)| *there);
    there.map(|(_, problem)| problem).collect()
}

/// A slug: 1 to 63 lower-case letters, digits and single hyphens, as in a host name.
pub fn slug(text: &str) -> Result<String, Invalid> {
    if slug_problems(text).is_empty() {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(
            Field::Other,
            "must be 1 to 63 lower-case letters, digits and single hyphens",
        ))
    }
}

/// A slug made of a name: accents fall, everything but letters and digits becomes a hyphen. `None` if nothing is left,
/// as of a name in a script without such letters.
#[must_use]
pub fn slug_of(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match fold(c) {
            "" if c.is_ascii_alphanumeric() => slug.push(c),
            "" if !slug.is_empty() && !slug.ends_with('-') && !is_mark(c) => slug.push('-'),
            folded => slug.push_str(folded),
        }
        if slug.len() >= MAX_SLUG {
            break;
        }
    }
    slug.truncate(MAX_SLUG);
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// The `number`th slug of the same name: with the number behind it, and no longer than a slug may be.
#[must_use]
pub fn numbered_slug(slug: &str, number: usize) -> String {
    if number < 2 {
        return slug.to_owned();
    }
    let number = format!("-{number}");
    let kept = slug.get(..slug.len().min(MAX_SLUG - number.len())).unwrap_or(slug);
    format!("{}{number}", kept.trim_end_matches('-'))
}

/// Combining marks of a decomposed letter: the letter stands without them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}')
}

/// The ASCII letters of a small Latin letter with an accent; empty for everything else.
fn fold(c: char) -> &'static str {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'ö' | 'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_both_sides_of_one_at_sign() {
        for good in ["a@b", "ada.lovelace+x@example.org", "jürgen@müller.example"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b..c", "a@-b", "a\0@b"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_is_counted_in_characters() {
        assert!(required("äöü", 3).is_ok());
        assert!(required("äöüß", 3).is_err());
        assert!(required(" \t", 3).is_err());
    }

    #[test]
    fn a_slug_of_a_name_is_a_slug() {
        for (name, expected) in [
            ("Yoga for Beginners", "yoga-for-beginners"),
            ("  Thérapie & Œuvre – 2×!", "therapie-oeuvre-2"),
            ("Men's Cut", "mens-cut"),
            ("Grüße", "gruesse"),
            ("Łódź", "lodz"),
        ] {
            assert_eq!(slug_of(name).as_deref(), Some(expected));
            assert!(slug(expected).is_ok());
        }
        assert_eq!(slug_of("瑜伽"), None);
        let long = slug_of(&"ab ".repeat(50)).unwrap_or_default();
        assert!(slug(&long).is_ok() && slug(&numbered_slug(&long, 12)).is_ok(), "{long}");
        assert_eq!(numbered_slug("yoga", 1), "yoga");
        assert_eq!(numbered_slug("yoga", 2), "yoga-2");
    }
}
