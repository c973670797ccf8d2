//! Filters and keys as SQL. Macros, because what they make names its engine in its type: a module that uses them has a
//! `Predicate<DB>` for each engine.

/// Tests of a column that always has a value.
macro_rules! test {
    ($db:ty, $column:expr, $test:expr) => {{
        let predicate: Predicate<$db> = match $test {
            Test::Eq(value) => Box::new($column.eq(value)),
            Test::Ne(value) => Box::new($column.ne(value)),
            Test::Lt(value) => Box::new($column.lt(value)),
            Test::Lte(value) => Box::new($column.le(value)),
            Test::Gt(value) => Box::new($column.gt(value)),
            Test::Gte(value) => Box::new($column.ge(value)),
            Test::In(values) => Box::new($column.eq_any(values)),
            Test::NotIn(values) => Box::new($column.ne_all(values)),
        };
        predicate
    }};
}

/// Tests of a column that may have none: always true or false, so that `not` means what it says.
macro_rules! test_nullable {
    ($db:ty, $column:expr, $test:expr) => {{
        let predicate: Predicate<$db> = match $test {
            Test::Ne(value) => Box::new($column.is_null().or($column.assume_not_null().ne(value))),
            Test::NotIn(values) => Box::new($column.is_null().or($column.assume_not_null().ne_all(values))),
            Test::Eq(value) => Box::new($column.is_not_null().and($column.assume_not_null().eq(value))),
            Test::Lt(value) => Box::new($column.is_not_null().and($column.assume_not_null().lt(value))),
            Test::Lte(value) => Box::new($column.is_not_null().and($column.assume_not_null().le(value))),
            Test::Gt(value) => Box::new($column.is_not_null().and($column.assume_not_null().gt(value))),
            Test::Gte(value) => Box::new($column.is_not_null().and($column.assume_not_null().ge(value))),
            Test::In(values) => Box::new($column.is_not_null().and($column.assume_not_null().eq_any(values))),
        };
        predicate
    }};
}

/// A filter as a predicate: `$whole` makes one of a part, `$field` of a test of one field.
macro_rules! joined {
    ($filter:expr, $whole:ident, $field:ident) => {
        match $filter {
            Filter::Is(field) => $field(field),
            Filter::All(parts) => {
                let mut parts = parts.into_iter().map($whole);
                match parts.next() {
                    Some(first) => parts.fold(first, |all, part| Box::new(all.and(part))),
                    None => Box::new(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 1")),
                }
            }
            Filter::Any(parts) => {
                let mut parts = parts.into_iter().map($whole);
                match parts.next() {
                    Some(first) => parts.fold(first, |all, part| Box::new(all.or(part))),
                    None => Box::new(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 0")),
                }
            }
            Filter::Not(part) => Box::new(diesel::dsl::not($whole(*part))),
        }
    };
}

/// Rows from a key on, its own row too, the way the engine scans. The key: the value of the column, and the id.
macro_rules! from_key {
    ($query:expr, $column:expr, $id_column:expr, ($value:expr, $id:expr), $scan:expr) => {{
        // A comparison of rows would say it shorter, but Diesel has none; the first test is what finds the index.
        let (value, id) = ($value, $id);
        match $scan {
            Direction::Asc => $query
                .filter($column.ge(value))
                .filter($column.gt(value).or($id_column.ge(id))),
            Direction::Desc => $query
                .filter($column.le(value))
                .filter($column.lt(value).or($id_column.le(id))),
        }
    }};
}

/// Rows up to a key, without its own, the way the engine scans.
macro_rules! until_key {
    ($query:expr, $column:expr, $id_column:expr, ($value:expr, $id:expr), $scan:expr) => {{
        let (value, id) = ($value, $id);
        match $scan {
            Direction::Asc => $query
                .filter($column.le(value))
                .filter($column.lt(value).or($id_column.lt(id))),
            Direction::Desc => $query
                .filter($column.ge(value))
                .filter($column.gt(value).or($id_column.gt(id))),
        }
    }};
}

pub(super) use {from_key, joined, test, test_nullable, until_key};
