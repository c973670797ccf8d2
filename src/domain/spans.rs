//! Sets of instants, as lists of spans that are sorted, disjoint and don't touch. Every operation walks its lists once.

use jiff::Timestamp;

use super::time::TimeSpan;

/// Makes a set of spans in any order: sorted, with those that overlap or touch merged into one.
#[must_use]
pub fn normalise(mut spans: Vec<TimeSpan>) -> Vec<TimeSpan> {
    if !spans.is_sorted_by_key(TimeSpan::start) {
        spans.sort_unstable_by_key(TimeSpan::start);
    }
    let mut set = Vec::with_capacity(spans.len());
    for span in spans {
        push(&mut set, span);
    }
    set
}

/// What is in one of the two sets.
#[must_use]
pub fn union(a: &[TimeSpan], b: &[TimeSpan]) -> Vec<TimeSpan> {
    let mut set = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x.start() <= y.start() => a.next(),
            (Some(_), None) => a.next(),
            (_, Some(_)) => b.next(),
            (None, None) => return set,
        };
        if let Some(span) = next {
            push(&mut set, *span);
        }
    }
}

/// What is in both sets.
#[must_use]
pub fn intersect(a: &[TimeSpan], b: &[TimeSpan]) -> Vec<TimeSpan> {
    let mut set = Vec::with_capacity(a.len().max(b.len()));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        set.extend(TimeSpan::new(x.start().max(y.start()), x.end().min(y.end())));
        if x.end() <= y.end() {
            a.next();
        } else {
            b.next();
        }
    }
    set
}

/// What is in `a` and not in `b`.
#[must_use]
pub fn subtract(a: &[TimeSpan], b: &[TimeSpan]) -> Vec<TimeSpan> {
    let mut set = Vec::with_capacity(a.len() + b.len());
    let mut holes = b.iter().peekable();
    for span in a {
        let mut from = span.start();
        while let Some(hole) = holes.peek() {
            if hole.start() >= span.end() {
                break;
            }
            set.extend(TimeSpan::new(from, hole.start()));
            from = from.max(hole.end());
            // A hole that reaches beyond this span may cut the next one too.
            if hole.end() >= span.end() {
                break;
            }
            holes.next();
        }
        set.extend(TimeSpan::new(from, span.end()));
    }
    set
}

/// The part of a set that lies between two instants.
#[must_use]
pub fn clip(set: &[TimeSpan], from: Timestamp, to: Timestamp) -> Vec<TimeSpan> {
    TimeSpan::new(from, to).map_or_else(Vec::new, |window| intersect(set, &[window]))
}

/// Adds a span that starts no earlier than the set's last one.
fn push(set: &mut Vec<TimeSpan>, span: TimeSpan) {
    if let Some(last) = set.last_mut()
        && span.start() <= last.end()
    {
        if let Some(merged) = TimeSpan::new(last.start(), last.end().max(span.end())) {
            *last = merged;
        }
    } else {
        set.push(span);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const MINUTES: usize = 80;

    fn at(minute: usize) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + i64::try_from(minute).unwrap() * 60).unwrap()
    }

    fn spans(raw: &[(usize, usize)]) -> Vec<TimeSpan> {
        raw.iter()
            .filter_map(|(start, len)| TimeSpan::new(at(*start), at(start + len)))
            .collect()
    }

    /// The minutes of a set, one by one.
    fn minutes(set: &[TimeSpan]) -> Vec<bool> {
        (0..MINUTES)
            .map(|minute| {
                set.iter()
                    .any(|span| span.start() <= at(minute) && at(minute) < span.end())
            })
            .collect()
    }

    fn is_a_set(set: &[TimeSpan]) -> bool {
        set.is_sorted_by(|a, b| a.end() < b.start())
    }

    #[test]
    fn spans_that_touch_are_merged() {
        assert_eq!(
            normalise(spans(&[(10, 5), (0, 10), (20, 1)])),
            spans(&[(0, 15), (20, 1)])
        );
        assert_eq!(union(&spans(&[(0, 10)]), &spans(&[(10, 5)])), spans(&[(0, 15)]));
    }

    /// What a set operation does to one minute.
    type Rule = fn(bool, bool) -> bool;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Against minute-by-minute membership.
        #[test]
        fn the_algebra_is_that_of_sets_of_minutes(
            a in proptest::collection::vec((0_usize..60, 0_usize..20), 0..8),
            b in proptest::collection::vec((0_usize..60, 0_usize..20), 0..8),
        ) {
            let (raw_a, raw_b) = (minutes(&spans(&a)), minutes(&spans(&b)));
            let (a, b) = (normalise(spans(&a)), normalise(spans(&b)));
            prop_assert!(is_a_set(&a));
            prop_assert_eq!(&minutes(&a), &raw_a);
            let rules: [(Vec<TimeSpan>, Rule); 3] = [
                (union(&a, &b), |x, y| x || y),
                (intersect(&a, &b), |x, y| x && y),
                (subtract(&a, &b), |x, y| x && !y),
            ];
            for (set, rule) in rules {
                prop_assert!(is_a_set(&set));
                let expected: Vec<bool> = raw_a.iter().zip(&raw_b).map(|(x, y)| rule(*x, *y)).collect();
                prop_assert_eq!(minutes(&set), expected);
            }
        }
    }
}
