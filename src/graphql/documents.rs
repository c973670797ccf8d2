//! Documents by their names: those that the operator trusts, or those that clients have sent before.
//!
//! It owns which text a name means. Whether that text may run is for the gate to say, and how a request names it for the
//! transports.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a document's text.
type Hash = [u8; 32];

/// The documents of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// Any may be sent, and is known by its hash from then on (Apollo's automatic persisted queries).
    Automatic(Kept),
    /// No others may be sent.
    Trusted(Trusted),
}

/// Why a name or a text means nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nobody has sent it yet, or it was forgotten: the client has to send the text once.
    NotFound,
    /// Nothing is kept on this server: the client has to send the text each time.
    NotSupported,
    /// The text has another hash than was said.
    Mismatch,
    /// It isn't among those that the operator trusts.
    NotTrusted,
}

impl Documents {
    /// Any, of which the texts that were used last are kept, up to so many bytes.
    #[must_use]
    pub fn automatic(bytes: usize) -> Self {
        let texts = Mutex::new(Texts {
            by_hash: LruCache::unbounded(),
            bytes: 0,
        });
        Self(Arc::new(Kind::Automatic(Kept { texts, most: bytes })))
    }

    /// Only those of a manifest, as the clients' compilers write it: an object of texts by their ids (Relay), or with a
    /// list `operations` of objects with `id` and `body` (Apollo).
    pub fn trusted(manifest: &str) -> Result<Self, String> {
        Trusted::read(manifest).map(|trusted| Self(Arc::new(Kind::Trusted(trusted))))
    }

    /// The texts that are trusted, each with its id; none if any may be sent.
    pub fn manifest(&self) -> impl Iterator<Item = (&str, &str)> {
        let trusted = match &*self.0 {
            Kind::Automatic(_) => None,
            Kind::Trusted(trusted) => Some(trusted),
        };
        let by_id = trusted.into_iter().flat_map(|trusted| &trusted.by_id);
        by_id.map(|(id, text)| (id.as_str(), &**text))
    }

    /// The text of a request that has a text, a name, or both.
    pub fn resolve(&self, text: &str, name: Option<&str>) -> Result<Option<Arc<str>>, Unresolved> {
        match (&*self.0, name) {
            (Kind::Automatic(_), None) => Ok(None),
            (Kind::Automatic(kept), Some(_)) if kept.most == 0 => Err(Unresolved::NotSupported),
            (Kind::Automatic(kept), Some(name)) => kept.resolve(text, name),
            (Kind::Trusted(trusted), name) => trusted.resolve(text, name),
        }
    }
}

/// Texts that clients have sent.
struct Kept {
    texts: Mutex<Texts>,
    /// In bytes.
    most: usize,
}

struct Texts {
    by_hash: LruCache<Hash, Arc<str>>,
    bytes: usize,
}

impl Kept {
    fn resolve(&self, text: &str, name: &str) -> Result<Option<Arc<str>>, Unresolved> {
        let named = hash_named(name);
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_empty() {
            let known = named.and_then(|hash| texts.by_hash.get(&hash).cloned());
            return known.map(Some).ok_or(Unresolved::NotFound);
        }
        if named != Some(hash_of(text)) {
            return Err(Unresolved::Mismatch);
        }
        let Some(hash) = named.filter(|_| text.len() <= self.most) else {
            return Ok(None);
        };
        if texts.by_hash.put(hash, text.into()).is_none() {
            texts.bytes += text.len();
        }
        while texts.bytes > self.most
            && let Some((_, oldest)) = texts.by_hash.pop_lru()
        {
            texts.bytes -= oldest.len();
        }
        Ok(None)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("most", &self.most).finish_non_exhaustive()
    }
}

/// Texts that the operator trusts.
#[derive(Debug)]
struct Trusted {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<Hash, Arc<str>>,
}

/// What the clients' compilers write.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { operations: Vec<Operation> },
    Relay(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl Trusted {
    fn read(manifest: &str) -> Result<Self, String> {
        // Without this, what serde says of an untagged enum would be all that one hears of a missing comma.
        serde_json::from_str::<serde::de::IgnoredAny>(manifest).map_err(|error| error.to_string())?;
        let read = serde_json::from_str::<Manifest>(manifest);
        let documents: Vec<(String, String)> = match read {
            Ok(Manifest::Apollo { operations }) => operations.into_iter().map(|it| (it.id, it.body)).collect(),
            Ok(Manifest::Relay(documents)) => documents.into_iter().collect(),
            Err(_) => {
                return Err(
                    "expected an object of documents by their ids, or one with a list `operations` of objects \
                            with `id` and `body`"
                        .to_owned(),
                );
            }
        };
        if documents.is_empty() {
            return Err("it has no documents, so nothing could be asked".to_owned());
        }
        let mut trusted = Self {
            by_id: HashMap::new(),
            by_hash: HashMap::new(),
        };
        for (id, text) in documents {
            let text: Arc<str> = text.into();
            trusted.by_hash.insert(hash_of(&text), Arc::clone(&text));
            if let Some(other) = trusted.by_id.insert(id.clone(), Arc::clone(&text))
                && other != text
            {
                return Err(format!("two documents have the id `{id}`"));
            }
        }
        Ok(trusted)
    }

    fn resolve(&self, text: &str, name: Option<&str>) -> Result<Option<Arc<str>>, Unresolved> {
        let named = name.map(|name| {
            let by_id = self.by_id.get(name);
            by_id.or_else(|| self.by_hash.get(&hash_named(name)?))
        });
        let known = named.unwrap_or_else(|| self.by_hash.get(&hash_of(text)));
        let known = known.ok_or(Unresolved::NotTrusted)?;
        if !text.is_empty() && text != &**known {
            return Err(Unresolved::Mismatch);
        }
        Ok(Some(Arc::clone(known)))
    }
}

fn hash_of(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// The hash that a name spells: 64 hexadecimal digits, behind `sha256:` or not.
fn hash_named(name: &str) -> Option<Hash> {
    let digits = name.strip_prefix("sha256:").unwrap_or(name).as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        // Signs would be read as well.
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))?;
    }
    Some(hash)
}

/// The name of a text by its hash, as clients write it.
#[must_use]
pub fn name_of(text: &str) -> String {
    hash_of(text).iter().fold(String::new(), |mut name, byte| {
        // Writing to a text can't fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(documents: &Documents, text: &str, name: &str) -> Result<Option<String>, Unresolved> {
        let found = documents.resolve(text, Some(name))?;
        Ok(found.map(|text| text.to_string()))
    }

    #[test]
    fn a_text_is_known_by_its_hash_once_it_was_sent() {
        let documents = Documents::automatic(1000);
        let (query, name) = ("{ site { id } }", name_of("{ site { id } }"));
        assert_eq!(text(&documents, "", &name), Err(Unresolved::NotFound));
        assert_eq!(
            text(&documents, query, &name_of("{ other }")),
            Err(Unresolved::Mismatch)
        );
        assert_eq!(text(&documents, query, "nonsense"), Err(Unresolved::Mismatch));
        assert_eq!(
            text(&documents, "", &name),
            Err(Unresolved::NotFound),
            "a lie teaches nothing"
        );
        assert_eq!(text(&documents, query, &name), Ok(None), "it runs as it was sent");
        for name in [name.clone(), name.to_uppercase(), format!("sha256:{name}")] {
            assert_eq!(text(&documents, "", &name).unwrap().as_deref(), Some(query), "{name}");
        }
        assert_eq!(documents.resolve(query, None), Ok(None));
    }

    #[test]
    fn what_was_not_used_for_long_is_forgotten_and_nothing_can_be_switched_off() {
        let documents = Documents::automatic(100);
        let long = |n: usize| format!("{{ field{n:022} }}");
        for n in 0..50 {
            assert_eq!(text(&documents, &long(n), &name_of(&long(n))), Ok(None));
        }
        let known = (0..50).filter(|n| text(&documents, "", &name_of(&long(*n))).is_ok());
        assert_eq!(known.collect::<Vec<_>>(), [47, 48, 49]);
        let whole = "x".repeat(101);
        assert_eq!(text(&documents, &whole, &name_of(&whole)), Ok(None));
        assert_eq!(text(&documents, "", &name_of(&whole)), Err(Unresolved::NotFound));
        let off = Documents::automatic(0);
        assert_eq!(text(&off, "", &name_of("{ a }")), Err(Unresolved::NotSupported));
        assert_eq!(off.resolve("{ a }", None), Ok(None));
    }

    #[test]
    fn nothing_runs_that_a_manifest_does_not_have() {
        let relay = r#"{ "q1": "{ site { id } }" }"#;
        let apollo = r#"{ "format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{ "id": "q1", "name": "Q", "type": "query", "body": "{ site { id } }" }] }"#;
        for manifest in [relay, apollo] {
            let documents = Documents::trusted(manifest).unwrap();
            let query = "{ site { id } }";
            assert_eq!(documents.manifest().collect::<Vec<_>>(), [("q1", query)]);
            for name in ["q1".to_owned(), name_of(query), format!("sha256:{}", name_of(query))] {
                assert_eq!(text(&documents, "", &name).unwrap().as_deref(), Some(query));
                assert_eq!(text(&documents, query, &name).unwrap().as_deref(), Some(query));
                assert_eq!(text(&documents, "{ other }", &name), Err(Unresolved::Mismatch));
            }
            assert!(documents.resolve(query, None).unwrap().is_some());
            for (other, name) in [("{ site { name } }", None), ("", Some("q2")), ("{ a }", Some("q2"))] {
                assert_eq!(documents.resolve(other, name), Err(Unresolved::NotTrusted));
            }
        }
    }

    #[test]
    fn a_manifest_that_is_none_is_refused_with_the_reason() {
        for (manifest, reason) in [
            ("{ \"a\": ", "EOF"),
            ("[]", "an object of documents"),
            (r#"{ "a": 1 }"#, "an object of documents"),
            ("{}", "no documents"),
            (r#"{ "operations": [] }"#, "no documents"),
            (
                r#"{ "operations": [{ "id": "a", "body": "{ a }" }, { "id": "a", "body": "{ b }" }] }"#,
                "two documents",
            ),
        ] {
            let refused = Documents::trusted(manifest).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
