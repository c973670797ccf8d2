//! An identity provider's public keys, from a file or from where it publishes them, and their rotation.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, RwLock},
    time::Duration,
};

use axum::http::Uri;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{JwkSet, KeyAlgorithm, PublicKeyUse},
};
use tokio::{sync::Mutex, time::Instant};
use ureq::tls::{RootCerts, TlsConfig};

/// How often the keys are read again without a reason.
const REFRESH: Duration = Duration::from_mins(5);
/// How often a token with an unknown key may make them be read again.
const UNKNOWN_KEY: Duration = Duration::from_secs(10);
/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 256 * 1024;
/// Keys that are looked at.
const MAX_KEYS: usize = 100;
/// Keys that one token without a key's id may be tried with.
const MAX_TRIES: usize = 5;

/// Where the keys are.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file: a JSON Web Key Set, or public keys as PEM.
    File(PathBuf),
    /// Where a JSON Web Key Set is published.
    Url(Uri),
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, where the set says it.
    algorithm: Option<KeyAlgorithm>,
    decoding: Arc<DecodingKey>,
}

/// The keys, read again when they are old and when a token names one that isn't known yet.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "keys have nothing to show")]
pub struct PublicKeys {
    inner: Arc<Inner>,
}

struct Inner {
    source: KeySource,
    client: ureq::Agent,
    keys: RwLock<Arc<[Key]>>,
    /// When they were read last, or it was tried.
    read: Mutex<Instant>,
}

impl PublicKeys {
    /// Reads the keys. A file that can't be read is an error; a provider that can't be reached is asked again later.
    pub async fn open(source: KeySource) -> Result<Self, String> {
        // Whom the machine trusts, with what its administrator added.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let client = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .tls_config(tls.build())
            .build()
            .new_agent();
        let inner = Inner {
            source,
            client,
            keys: RwLock::new(Arc::new([])),
            read: Mutex::new(Instant::now()),
        };
        match inner.read().await {
            Ok(keys) => inner.replace(keys),
            Err(error) => match &inner.source {
                KeySource::File(path) => return Err(format!("{}: {error}", path.display())),
                KeySource::Url(url) => {
                    tracing::warn!(%url, %error, "the identity provider's keys can't be read yet");
                }
            },
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The keys that a token may be signed with.
    pub(super) async fn of(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<Arc<DecodingKey>> {
        let found = self.fitting(id, algorithm);
        if !found.is_empty() {
            // Nobody waits for news of what is known.
            let old = self.inner.read.try_lock().is_ok_and(|read| read.elapsed() >= REFRESH);
            if old {
                let keys = self.clone();
                tokio::spawn(async move { keys.refresh(REFRESH).await });
            }
            return found;
        }
        // A new key, maybe.
        self.refresh(UNKNOWN_KEY).await;
        self.fitting(id, algorithm)
    }

    fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<Arc<DecodingKey>> {
        let keys = self.inner.present();
        let fits = |key: &&Key| {
            let named = match (id, &key.id) {
                (Some(id), Some(own)) => id == own,
                // Keys from PEM have no names.
                (Some(_) | None, None) | (None, Some(_)) => true,
            };
            let meant = match key.algorithm {
                None => true,
                Some(KeyAlgorithm::RS256) => algorithm == Algorithm::RS256,
                Some(KeyAlgorithm::ES256) => algorithm == Algorithm::ES256,
                Some(KeyAlgorithm::EdDSA) => algorithm == Algorithm::EdDSA,
                Some(_) => false,
            };
            let family = match algorithm {
                Algorithm::RS256 => AlgorithmFamily::Rsa,
                Algorithm::ES256 => AlgorithmFamily::Ec,
                _ => AlgorithmFamily::Ed,
            };
            named && meant && key.decoding.family() == family
        };
        let fitting = keys.iter().filter(fits).map(|key| key.decoding.clone());
        fitting.take(MAX_TRIES).collect()
    }

    /// Reads the keys again if they are older than that. Who comes meanwhile waits for it; a failure keeps the old ones.
    async fn refresh(&self, age: Duration) {
        let mut read = self.inner.read.lock().await;
        if read.elapsed() < age {
            return;
        }
        *read = Instant::now();
        match self.inner.read().await {
            Ok(keys) => self.inner.replace(keys),
            Err(error) => tracing::warn!(%error, "the identity provider's keys can't be read again"),
        }
    }
}

impl Inner {
    fn present(&self) -> Arc<[Key]> {
        let keys = self.keys.read();
        keys.unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn replace(&self, keys: Vec<Key>) {
        let mut present = self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *present = keys.into();
    }

    async fn read(&self) -> Result<Vec<Key>, String> {
        let text = match &self.source {
            KeySource::File(path) => fs::read(path).map_err(|error| error.to_string())?,
            KeySource::Url(url) => self.fetch(url.clone()).await?,
        };
        let keys = if text.trim_ascii_start().starts_with(b"-----BEGIN") {
            pem(&text)?
        } else {
            set(&text)?
        };
        if keys.is_empty() {
            return Err("there is no RS256, ES256 or EdDSA public key in it".to_owned());
        }
        Ok(keys)
    }

    async fn fetch(&self, url: Uri) -> Result<Vec<u8>, String> {
        let client = self.client.clone();
        let fetch = move || {
            let mut answer = client.get(url).call()?;
            answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()
        };
        let fetched = tokio::task::spawn_blocking(fetch).await;
        let fetched = fetched.map_err(|error| error.to_string())?;
        fetched.map_err(|error| error.to_string())
    }
}

/// The keys of a set that can be used; others are left out, as the standard wants it.
fn set(text: &[u8]) -> Result<Vec<Key>, String> {
    let set: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("no JSON Web Key Set: {error}"))?;
    let known = set.get("keys").and_then(serde_json::Value::as_array);
    let keys = known.ok_or("no JSON Web Key Set: `keys` is missing")?;
    let read = |key: &serde_json::Value| {
        let one = serde_json::json!({ "keys": [key] });
        let key = serde_json::from_value::<JwkSet>(one).ok()?.keys.pop()?;
        let common = &key.common;
        if !matches!(common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&key).ok()?;
        // A shared secret is no public key.
        (decoding.family() != AlgorithmFamily::Hmac).then(|| Key {
            id: common.key_id.clone(),
            algorithm: common.key_algorithm,
            decoding: Arc::new(decoding),
        })
    };
    Ok(keys.iter().take(MAX_KEYS).filter_map(read).collect())
}

/// The public keys in a PEM file.
fn pem(text: &[u8]) -> Result<Vec<Key>, String> {
    const END: &str = "-----END PUBLIC KEY-----";
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let mut keys = Vec::new();
    for part in text.split_inclusive(END).filter(|part| part.contains(END)) {
        let block = part
            .find("-----BEGIN")
            .and_then(|start| part.get(start..))
            .unwrap_or(part);
        let bytes = block.as_bytes();
        let decoding = DecodingKey::from_rsa_pem(bytes)
            .or_else(|_| DecodingKey::from_ec_pem(bytes))
            .or_else(|_| DecodingKey::from_ed_pem(bytes))
            .map_err(|error| format!("a key in it can't be read: {error}"))?;
        keys.push(Key {
            id: None,
            algorithm: None,
            decoding: Arc::new(decoding),
        });
    }
    Ok(keys)
}
