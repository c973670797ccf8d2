//! What a service shows of itself: pictures, words for search engines, its names in addresses.

use async_graphql::{Enum, InputObject, SimpleObject};

use crate::{domain::catalog, graphql::scalars::DateTime, store::catalog::OldSlug};

/// What a picture or the like is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::catalog::MediaType")]
pub enum MediaType {
    /// A picture.
    Image,
    /// A film.
    Video,
}

/// A picture or film. The server keeps where it is, not the file.
#[derive(SimpleObject, Clone, Debug)]
pub struct MediaItem {
    /// What it shows, for those who don't see it.
    alt_text: Option<String>,
    /// Pixels from top to bottom.
    height: Option<i32>,
    /// What it is.
    #[graphql(name = "type")]
    media_type: MediaType,
    /// Where it is: an address that begins with `https://` or `http://`. It was given by the business and not looked at.
    url: String,
    /// Pixels across.
    width: Option<i32>,
}

/// The pictures and films of a service.
#[derive(SimpleObject, Clone, Debug)]
pub struct Media {
    /// The one at the head of the service's own page.
    #[graphql(name = "coverMedia")]
    cover: Option<MediaItem>,
    /// All of them, at most 100.
    items: Vec<MediaItem>,
    /// The one that stands for the service in lists.
    #[graphql(name = "mainMedia")]
    main: Option<MediaItem>,
}

/// What search engines are told of a service.
#[derive(SimpleObject, Clone, Debug)]
pub struct SeoData {
    /// What the service's page is about.
    description: Option<String>,
    /// The title of the service's page.
    title: Option<String>,
}

/// A service's name in addresses.
#[derive(SimpleObject, Clone, Debug)]
pub struct Slug {
    /// Since when the service has it, or had it.
    created_date: DateTime,
    /// Whether the business chose it; else it was made of the service's name.
    custom: bool,
    /// The slug.
    name: String,
}

/// A picture or film. The server keeps where it is, not the file.
#[derive(InputObject, Clone, Debug)]
pub struct MediaItemInput {
    /// What it shows, for those who don't see it; at most 1000 characters.
    alt_text: Option<String>,
    /// Pixels from top to bottom, 1 to 100000.
    height: Option<i32>,
    /// What it is.
    #[graphql(name = "type", default_with = "MediaType::Image")]
    media_type: MediaType,
    /// Where it is: an address that begins with `https://` or `http://`, at most 2048 characters. It isn't looked at.
    url: String,
    /// Pixels across, 1 to 100000.
    width: Option<i32>,
}

/// The pictures and films of a service. They are replaced as a whole.
#[derive(InputObject, Clone, Debug)]
pub struct MediaInput {
    /// The one at the head of the service's own page.
    cover_media: Option<MediaItemInput>,
    /// All of them, at most 100.
    items: Option<Vec<MediaItemInput>>,
    /// The one that stands for the service in lists.
    main_media: Option<MediaItemInput>,
}

/// What search engines are told of a service. It is replaced as a whole.
#[derive(InputObject, Clone, Debug)]
pub struct SeoDataInput {
    /// What the service's page is about, at most 500 characters.
    description: Option<String>,
    /// The title of the service's page, at most 200 characters.
    title: Option<String>,
}

impl From<&catalog::MediaItem> for MediaItem {
    fn from(item: &catalog::MediaItem) -> Self {
        Self {
            alt_text: item.alt_text.clone(),
            height: item.height,
            media_type: item.media_type.into(),
            url: item.url.clone(),
            width: item.width,
        }
    }
}

impl From<&catalog::Media> for Media {
    fn from(media: &catalog::Media) -> Self {
        Self {
            cover: media.cover.as_ref().map(Into::into),
            items: media.items.iter().map(Into::into).collect(),
            main: media.main.as_ref().map(Into::into),
        }
    }
}

impl From<&catalog::SeoData> for SeoData {
    fn from(seo: &catalog::SeoData) -> Self {
        Self {
            description: seo.description.clone(),
            title: seo.title.clone(),
        }
    }
}

impl From<OldSlug> for Slug {
    fn from(old: OldSlug) -> Self {
        Self {
            created_date: old.since.into(),
            custom: old.custom,
            name: old.slug,
        }
    }
}

impl Slug {
    /// The one that the service has now.
    pub(super) fn main(service: &catalog::Service) -> Self {
        let origin = service.slug_origin;
        Self {
            created_date: origin.since.unwrap_or(service.created).into(),
            custom: origin.custom,
            name: service.slug.clone(),
        }
    }
}

impl From<MediaItemInput> for catalog::MediaItem {
    fn from(item: MediaItemInput) -> Self {
        Self {
            media_type: item.media_type.into(),
            url: item.url,
            alt_text: item.alt_text,
            width: item.width,
            height: item.height,
        }
    }
}

impl From<MediaInput> for catalog::Media {
    fn from(media: MediaInput) -> Self {
        Self {
            items: media.items.unwrap_or_default().into_iter().map(Into::into).collect(),
            main: media.main_media.map(Into::into),
            cover: media.cover_media.map(Into::into),
        }
    }
}

impl From<SeoDataInput> for catalog::SeoData {
    fn from(seo: SeoDataInput) -> Self {
        Self {
            title: seo.title,
            description: seo.description,
        }
    }
}
