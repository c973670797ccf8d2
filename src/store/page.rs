//! Pages by key: where the last page ended, not how many rows to skip.

use futures_util::future::BoxFuture;

use super::{Conn, StoreError};

/// Which rows a page has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// How many rows at most.
    pub limit: i64,
    /// Rows behind this one.
    pub after: Option<K>,
    /// Rows before this one.
    pub before: Option<K>,
    /// Whether the rows are taken from the end: `last` and not `first`.
    pub from_end: bool,
}

/// A page of rows in their order, and what is known of the rows around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are rows behind it.
    pub has_next: bool,
    /// Whether there are rows before it.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Finds a page. `rows` gives the rows from the request's starting key on, the way they are scanned: the key's own row,
    /// if it is still there, and one more than the limit. The page's flags are facts: where a key's own row was not met,
    /// because it left the list or the page ends before it, somebody looks for a row on its other side.
    pub async fn find<K: Copy + PartialEq>(
        conn: &mut Conn,
        request: &PageRequest<K>,
        key: impl Fn(&T) -> K,
        rows: impl for<'c> Fn(&'c mut Conn, PageRequest<K>) -> BoxFuture<'c, Result<Vec<T>, StoreError>>,
    ) -> Result<Self, StoreError> {
        let mut items = rows(conn, request.clone()).await?;
        let (start, stop) = if request.from_end {
            (request.before, request.after)
        } else {
            (request.after, request.before)
        };
        let own = start.is_some_and(|start| items.first().is_some_and(|row| key(row) == start));
        if own {
            items.remove(0);
        }
        let limit = usize::try_from(request.limit).unwrap_or(0);
        let more = items.len() > limit;
        items.truncate(limit);
        // From a key on, away from the page: the key's own row counts, too.
        let away = |key: K, from_end: bool| PageRequest {
            limit: 0,
            after: (!from_end).then_some(key),
            before: from_end.then_some(key),
            from_end,
        };
        let behind_start = match start {
            Some(key) if !own => !rows(conn, away(key, !request.from_end)).await?.is_empty(),
            _ => own,
        };
        let behind_stop = match stop {
            Some(key) if !more => !rows(conn, away(key, request.from_end)).await?.is_empty(),
            _ => more,
        };
        let (has_previous, has_next) = if request.from_end {
            items.reverse();
            (behind_stop, behind_start)
        } else {
            (behind_start, behind_stop)
        };
        Ok(Self {
            items,
            has_next,
            has_previous,
        })
    }

    /// Cuts a page out of all rows, which are few.
    pub fn of_all<K: PartialEq>(rows: Vec<T>, request: &PageRequest<K>, key: impl Fn(&T) -> K) -> Self {
        let place = |wanted: &Option<K>| {
            wanted
                .as_ref()
                .and_then(|wanted| rows.iter().position(|row| key(row) == *wanted))
        };
        let start = place(&request.after).map_or(0, |at| at + 1);
        let end = place(&request.before).unwrap_or(rows.len());
        Self::between(rows, request, start, end)
    }

    /// The same of rows that are sorted by their keys: a key whose own row left the list still has its place.
    pub fn of_sorted<K: Ord>(
        rows: Vec<T>,
        request: &PageRequest<K>,
        direction: Direction,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let place = |wanted: &K, own: bool| {
            rows.partition_point(|row| {
                let order = key(row).cmp(wanted);
                let order = if direction == Direction::Desc {
                    order.reverse()
                } else {
                    order
                };
                order.is_lt() || own && order.is_eq()
            })
        };
        let start = request.after.as_ref().map_or(0, |wanted| place(wanted, true));
        let before = request.before.as_ref().map(|wanted| place(wanted, false));
        let end = before.unwrap_or(rows.len());
        Self::between(rows, request, start, end)
    }

    fn between<K>(rows: Vec<T>, request: &PageRequest<K>, start: usize, end: usize) -> Self {
        let end = end.max(start);
        let limit = usize::try_from(request.limit).unwrap_or(0);
        let (start, end) = if request.from_end {
            (end.saturating_sub(limit).max(start), end)
        } else {
            (start, end.min(start.saturating_add(limit)))
        };
        let (has_previous, has_next) = (start > 0, end < rows.len());
        let items = rows.into_iter().skip(start).take(end - start).collect();
        Self {
            items,
            has_next,
            has_previous,
        }
    }

    /// The same page of something made of its rows.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(make).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

impl Direction {
    /// The other way if `yes`.
    #[must_use]
    pub fn flipped(self, yes: bool) -> Self {
        match (self, yes) {
            (direction, false) => direction,
            (Self::Asc, true) => Self::Desc,
            (Self::Desc, true) => Self::Asc,
        }
    }
}

/// How a value is compared with what a client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test<T> {
    /// Equal.
    Eq(T),
    /// Not equal; absent values count as not equal.
    Ne(T),
    /// Smaller.
    Lt(T),
    /// Smaller or equal.
    Lte(T),
    /// Larger.
    Gt(T),
    /// Larger or equal.
    Gte(T),
    /// One of them.
    In(Vec<T>),
    /// None of them; absent values count as none of them.
    NotIn(Vec<T>),
}

impl<T> Test<T> {
    /// The same test on something made of the values.
    pub fn map<U>(self, mut make: impl FnMut(T) -> U) -> Test<U> {
        match self {
            Self::Eq(v) => Test::Eq(make(v)),
            Self::Ne(v) => Test::Ne(make(v)),
            Self::Lt(v) => Test::Lt(make(v)),
            Self::Lte(v) => Test::Lte(make(v)),
            Self::Gt(v) => Test::Gt(make(v)),
            Self::Gte(v) => Test::Gte(make(v)),
            Self::In(v) => Test::In(v.into_iter().map(make).collect()),
            Self::NotIn(v) => Test::NotIn(v.into_iter().map(make).collect()),
        }
    }
}

impl<T: PartialOrd> Test<T> {
    /// Whether a value that is there meets it.
    pub fn is_met(&self, value: &T) -> bool {
        match self {
            Self::Eq(v) => value == v,
            Self::Ne(v) => value != v,
            Self::Lt(v) => value < v,
            Self::Lte(v) => value <= v,
            Self::Gt(v) => value > v,
            Self::Gte(v) => value >= v,
            Self::In(values) => values.contains(value),
            Self::NotIn(values) => !values.contains(value),
        }
    }
}

/// A filter: tests joined by and, or, not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter<F> {
    /// A test of one field.
    Is(F),
    /// All of them; an empty list is true.
    All(Vec<Filter<F>>),
    /// At least one of them; an empty list is false.
    Any(Vec<Filter<F>>),
    /// Not this.
    Not(Box<Filter<F>>),
}

impl<F> Filter<F> {
    /// Whether it tests a field of some sort, on whichever level.
    pub fn any(&self, sort: &impl Fn(&F) -> bool) -> bool {
        match self {
            Self::Is(field) => sort(field),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.any(sort)),
            Self::Not(part) => part.any(sort),
        }
    }
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}
