//! Lists: Relay connections with `edges`, `nodes`, `pageInfo`, and `totalCount` only where it is asked for.

use async_graphql::{Context, SimpleObject};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::error::coded;
use crate::store::page::PageRequest;

/// Rows on a page unless the client says how many.
pub const DEFAULT_PAGE: i32 = 50;
/// Rows on a page at the most.
pub const MAX_PAGE: i32 = 100;

/// What is known of the rows around a page.
#[derive(SimpleObject, Clone, Debug, Default)]
pub struct PageInfo {
    /// The cursor of the page's last row.
    pub end_cursor: Option<String>,
    /// Whether there are rows behind the page.
    pub has_next_page: bool,
    /// Whether there are rows before the page.
    pub has_previous_page: bool,
    /// The cursor of the page's first row.
    pub start_cursor: Option<String>,
}

/// The paging arguments of a list.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// How many from the start.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// How many from the end.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
}

impl Paging {
    /// The request for a page, with the cursors read by `read`.
    pub fn request<K>(&self, read: impl Fn(&str) -> Option<K>) -> async_graphql::Result<PageRequest<K>> {
        if self.first.is_some() && self.last.is_some() {
            return Err(coded("give `first` or `last`, not both", "BAD_USER_INPUT"));
        }
        let limit = self.first.or(self.last).unwrap_or(DEFAULT_PAGE);
        if !(0..=MAX_PAGE).contains(&limit) {
            let message = format!("`first` and `last` must be between 0 and {MAX_PAGE}");
            return Err(coded(message, "BAD_USER_INPUT"));
        }
        let cursor = |name: &str, text: &Option<String>| {
            text.as_deref()
                .map(|text| {
                    read(text).ok_or_else(|| coded(format!("`{name}` is not a cursor of this list"), "BAD_USER_INPUT"))
                })
                .transpose()
        };
        Ok(PageRequest {
            limit: i64::from(limit),
            after: cursor("after", &self.after)?,
            before: cursor("before", &self.before)?,
            from_end: self.last.is_some(),
        })
    }
}

/// Makes an opaque cursor of what stands in it.
#[must_use]
pub fn cursor(content: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(content)
}

/// What stands in a cursor.
#[must_use]
pub fn open_cursor(cursor: &str) -> Option<String> {
    if cursor.len() > 400 {
        return None;
    }
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

/// Whether the client asked for a field below the present one: what nobody asked for isn't worked out.
#[must_use]
pub fn selects(ctx: &Context<'_>, field: &str) -> bool {
    ctx.look_ahead().field(field).exists()
}

/// A connection type with its edge type: `connection!("Bookings of a list.", BookingConnection, BookingEdge, Booking)`.
/// Build it with `new(page, |node| cursor, total)`, where `page` is a `store::page::Page` and `total` the count if
/// `totalCount` was selected.
macro_rules! connection {
    ($doc:literal, $connection:ident, $edge:ident, $node:ty) => {
        #[doc = $doc]
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $connection {
            /// The rows with their cursors.
            pub edges: Vec<$edge>,
            /// The rows alone.
            pub nodes: Vec<$node>,
            /// What is known of the rows around the page.
            pub page_info: $crate::graphql::connection::PageInfo,
            /// How many rows pass the filter in all. Worked out only if selected.
            pub total_count: Option<i32>,
        }

        /// A row of a list with its cursor.
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            /// Where the row stands in the list, for `after` and `before`.
            pub cursor: String,
            /// The row.
            pub node: $node,
        }

        impl $connection {
            /// Makes a connection of a page.
            pub fn new(
                page: $crate::store::page::Page<$node>,
                cursor: impl Fn(&$node) -> String,
                total: Option<i64>,
            ) -> Self {
                let edges: Vec<$edge> = page
                    .items
                    .iter()
                    .map(|node| $edge {
                        cursor: cursor(node),
                        node: node.clone(),
                    })
                    .collect();
                let page_info = $crate::graphql::connection::PageInfo {
                    end_cursor: edges.last().map(|edge| edge.cursor.clone()),
                    has_next_page: page.has_next,
                    has_previous_page: page.has_previous,
                    start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                };
                let total_count = total.map(|total| i32::try_from(total).unwrap_or(i32::MAX));
                Self {
                    edges,
                    nodes: page.items,
                    page_info,
                    total_count,
                }
            }
        }
    };
}
pub(crate) use connection;
