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

/// A slug: 1 to 63 lower-case letters, digits and single hyphens, as in a host name.
pub fn slug(text: &str) -> Result<String, Invalid> {
    let valid = (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if valid {
        Ok(text.to_owned())
    } else {
        Err(Invalid::new(
            Field::Other,
            "must be 1 to 63 lower-case letters, digits and single hyphens",
        ))
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
}
