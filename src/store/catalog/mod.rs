//! What can be booked: services, resources, schedules, sessions, blocked times.

mod blocked_times;
mod candidates;
mod categories;
mod hours;
mod locations;
mod named;
mod options;
mod policies;
mod resource_types;
mod resources;
mod schedules;
mod series;
mod service_lists;
mod services;
mod sessions;
mod slugs;

use jiff::Timestamp;

use super::StoreError;

pub use blocked_times::*;
pub use candidates::*;
pub use categories::*;
pub use hours::*;
pub use locations::*;
pub use named::*;
pub use options::*;
pub use policies::*;
pub use resource_types::*;
pub use resources::*;
pub use schedules::*;
pub use series::*;
pub use service_lists::*;
pub use services::*;
pub use sessions::*;
pub use slugs::*;

/// Where a row stands in a list that is sorted by an instant; the id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeKey<I> {
    /// The instant.
    pub at: Timestamp,
    /// The row's id.
    pub id: I,
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

/// The rows of a page as the engine scans them: from the key's own row on, and one more than the page at either end.
macro_rules! page {
    ($conn:expr, $of:expr, $request:expr, $table:ident, $at:ident, $row:ty, |$query:ident| $filtered:expr) => {{
        let request = $request;
        on!($conn, c => {
            let $query = $table::table.filter($of).select(<$row>::as_select()).into_boxed();
            let mut query = $filtered;
            let (start, stop) = match request.from_end {
                false => (&request.after, &request.before),
                true => (&request.before, &request.after),
            };
            if let Some(key) = start {
                // The first test is what finds the index.
                query = match request.from_end {
                    false => query
                        .filter($table::$at.ge(At(key.at)))
                        .filter($table::$at.gt(At(key.at)).or($table::id.ge(key.id))),
                    true => query
                        .filter($table::$at.le(At(key.at)))
                        .filter($table::$at.lt(At(key.at)).or($table::id.le(key.id))),
                };
            }
            if let Some(key) = stop {
                query = match request.from_end {
                    false => query
                        .filter($table::$at.le(At(key.at)))
                        .filter($table::$at.lt(At(key.at)).or($table::id.lt(key.id))),
                    true => query
                        .filter($table::$at.ge(At(key.at)))
                        .filter($table::$at.gt(At(key.at)).or($table::id.gt(key.id))),
                };
            }
            let query = match request.from_end {
                false => query.order(($table::$at.asc(), $table::id.asc())),
                true => query.order(($table::$at.desc(), $table::id.desc())),
            };
            query.limit(request.limit + 2).load::<$row>(c).await
        })
    }};
}
pub(super) use page;

/// How many rows of a table pass a filter.
macro_rules! count {
    ($conn:expr, $of:expr, $table:ident, |$query:ident| $filtered:expr) => {
        on!($conn, c => {
            let $query = $table::table.filter($of).count().into_boxed();
            $filtered.get_result::<i64>(c).await
        })
    };
}
pub(super) use count;
