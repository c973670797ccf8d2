//! How a service is shown and found: words, pictures, its place among others (`spec/catalog-availability.md` §1.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    Rejection,
    ids::CategoryId,
    rejection::{Field, Invalid},
    text,
};

/// What a picture or the like is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MediaType {
    /// A picture.
    Image,
    /// A film.
    Video,
}

/// A picture or film, which is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaItem {
    /// What it is.
    pub media_type: MediaType,
    /// Where it is, at most 2048 characters.
    pub url: String,
    /// What it shows, for those who don't see it; at most 1000 characters.
    pub alt_text: Option<String>,
    /// Pixels across.
    pub width: Option<i32>,
    /// Pixels from top to bottom.
    pub height: Option<i32>,
}

/// The pictures and films of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    /// All of them, at most 100.
    pub items: Vec<MediaItem>,
    /// The one that stands for the service in lists.
    pub main: Option<MediaItem>,
    /// The one at the head of the service's own page.
    pub cover: Option<MediaItem>,
}

/// What search engines are told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeoData {
    /// The title of the service's page, at most 200 characters.
    pub title: Option<String>,
    /// What the page is about, at most 500 characters.
    pub description: Option<String>,
}

/// How a service is shown and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Presentation {
    /// The group that it belongs to.
    pub category: Option<CategoryId>,
    /// Whether customers don't find it in lists, and can't book it.
    pub hidden: bool,
    /// Where it stands in its category.
    pub sort_order: i32,
    /// A short line that makes one want it, at most 6000 characters.
    pub tag_line: Option<String>,
    /// Pictures and films.
    pub media: Media,
    /// Words of the business's own to find it by, at most 10.
    pub tags: Vec<String>,
    /// What apps keep with it: an object.
    pub extended_fields: Option<Value>,
    /// What search engines are told.
    pub seo: SeoData,
}

/// Where a slug comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlugOrigin {
    /// Whether somebody chose it; else it was made of the name.
    pub custom: bool,
    /// Since when the service has it; since it was made if not known.
    pub since: Option<Timestamp>,
}

/// Slugs that a service had before and that still lead to it, at the most.
pub const MAX_OLD_SLUGS: usize = 100;
/// Pictures and films of a service, at the most.
pub const MAX_MEDIA: usize = 100;
/// Tags of a service, at the most.
pub const MAX_TAGS: usize = 10;
/// What apps keep with a service, in bytes of JSON at the most.
pub const MAX_EXTENDED_BYTES: usize = 16 * 1024;
/// How deeply objects and lists may be nested in it.
const MAX_EXTENDED_DEPTH: usize = 10;

fn optional(value: Option<&String>, max: usize, name: &str) -> Result<(), Invalid> {
    match value {
        Some(value) => text::bounded(value, max).map(drop).map_err(|invalid| invalid.at(name)),
        None => Ok(()),
    }
}

impl MediaItem {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let wrong = |name: &str, message: &str| Err(Invalid::new(Field::Other, message).at(name));
        let after_scheme = ["https://", "http://"]
            .iter()
            .find_map(|scheme| self.url.strip_prefix(scheme));
        let names_host = after_scheme.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']));
        if !names_host || self.url.len() > 2048 || self.url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return wrong(
                "url",
                "must be an address that begins with `https://` or `http://`, at most 2048 characters",
            );
        }
        optional(self.alt_text.as_ref(), 1000, "altText")?;
        for (name, pixels) in [("width", self.width), ("height", self.height)] {
            if pixels.is_some_and(|pixels| !(1..=100_000).contains(&pixels)) {
                return wrong(name, "must be between 1 and 100000");
            }
        }
        Ok(())
    }
}

impl Media {
    fn check(&self) -> Result<(), Invalid> {
        if self.items.len() > MAX_MEDIA {
            return Err(Invalid::new(Field::Other, format!("must have at most {MAX_MEDIA} entries")).at("items"));
        }
        for (index, item) in self.items.iter().enumerate() {
            item.check()
                .map_err(|invalid| invalid.at(index.to_string()).at("items"))?;
        }
        for (name, item) in [("mainMedia", &self.main), ("coverMedia", &self.cover)] {
            if let Some(item) = item {
                item.check().map_err(|invalid| invalid.at(name))?;
            }
        }
        Ok(())
    }
}

impl Presentation {
    /// Refuses what breaks a rule.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        optional(self.tag_line.as_ref(), 6000, "tagLine")?;
        self.media.check().map_err(|invalid| invalid.at("media"))?;
        check_tags(&self.tags)?;
        if let Some(fields) = &self.extended_fields {
            check_extended(fields).map_err(|invalid| invalid.at("extendedFields"))?;
        }
        let seo = |invalid: Invalid| invalid.at("seoData");
        optional(self.seo.title.as_ref(), 200, "title").map_err(seo)?;
        optional(self.seo.description.as_ref(), 500, "description").map_err(seo)?;
        Ok(())
    }
}

/// Refuses tags that are too many, too long, or there twice.
pub(super) fn check_tags(tags: &[String]) -> Result<(), Rejection> {
    if tags.len() > MAX_TAGS {
        return Err(Rejection::invalid(
            &["tags"],
            format!("must have at most {MAX_TAGS} entries"),
        ));
    }
    for (index, tag) in tags.iter().enumerate() {
        text::required(tag, 50).map_err(|invalid| invalid.at(index.to_string()).at("tags"))?;
        if tags.iter().take(index).any(|earlier| earlier == tag) {
            return Err(Rejection::invalid(&["tags", &index.to_string()], "is there twice"));
        }
    }
    Ok(())
}

fn check_extended(fields: &Value) -> Result<(), Invalid> {
    let wrong = |message: String| Err(Invalid::new(Field::Other, message));
    if !fields.is_object() {
        return wrong("must be an object".to_owned());
    }
    // The depth first: what comes next walks all of it.
    if !is_storable(fields, MAX_EXTENDED_DEPTH) {
        return wrong(format!(
            "must be nested at most {MAX_EXTENDED_DEPTH} deep, without the character U+0000"
        ));
    }
    if fields.to_string().len() > MAX_EXTENDED_BYTES {
        return wrong(format!("must have at most {MAX_EXTENDED_BYTES} bytes"));
    }
    Ok(())
}

/// Whether both engines can keep it: one of them knows no U+0000.
fn is_storable(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        Value::Array(_) | Value::Object(_) if depth == 0 => false,
        Value::Array(items) => items.iter().all(|item| is_storable(item, depth - 1)),
        Value::Object(fields) => fields
            .iter()
            .all(|(name, value)| !name.contains('\0') && is_storable(value, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn extended_fields_are_a_small_object_that_both_engines_keep() {
        let nest = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
        for good in [
            json!({}),
            json!({ "a": [1, 2.5, null, true, "ä"] }),
            nest(10),
            json!({ "a": "x".repeat(16_000) }),
        ] {
            assert_eq!(check_extended(&good), Ok(()), "{good}");
        }
        for bad in [
            json!([]),
            json!("text"),
            json!(null),
            nest(11),
            json!({ "a\0": 1 }),
            json!({ "a": ["\0"] }),
            json!({ "a": "x".repeat(16_384) }),
        ] {
            assert!(check_extended(&bad).is_err(), "{bad}");
        }
    }
}
