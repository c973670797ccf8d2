//! Expansion against a model that knows nothing of periods: it walks the calendar day by day and asks of each whether
//! the rule means it. And texts: written and read again, or made up.

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, ToSpan as _,
    civil::{Date, DateTime, Weekday, date},
};
use proptest::prelude::*;

use super::*;

/// Whether the rule means a day; `weeks` is how many times a week has begun since the start.
fn meant(rule: &Rule, start: Date, day: Date, weeks: i64) -> bool {
    let step = i64::from(rule.interval());
    let in_period = match rule.frequency() {
        Frequency::Daily => i64::from((day - start).get_days()) % step == 0,
        Frequency::Weekly => weeks % step == 0,
        Frequency::Monthly => {
            let months = i64::from(day.year() - start.year()) * 12 + i64::from(day.month() - start.month());
            months % step == 0
        }
    };
    if !in_period {
        return false;
    }
    let of_month: Vec<Date> = (1..=31)
        .filter_map(|n| Date::new(day.year(), day.month(), n).ok())
        .collect();
    let same_weekday: Vec<&Date> = of_month
        .iter()
        .filter(|other| other.weekday() == day.weekday())
        .collect();
    let on_weekday = rule.days().iter().any(|wanted| {
        wanted.weekday == day.weekday()
            && match wanted.ordinal {
                None => true,
                Some(n) if n > 0 => same_weekday.get(usize::from(n.unsigned_abs()) - 1) == Some(&&day),
                Some(n) => same_weekday.iter().rev().nth(usize::from(n.unsigned_abs()) - 1) == Some(&&day),
            }
    });
    let on_month_day = rule.month_days().iter().any(|n| match *n {
        n if n > 0 => day.day() == n,
        n => of_month.iter().rev().nth(usize::from(n.unsigned_abs()) - 1) == Some(&day),
    });
    match (rule.days().is_empty(), rule.month_days().is_empty()) {
        (true, true) => match rule.frequency() {
            Frequency::Daily => true,
            Frequency::Weekly => day.weekday() == start.weekday(),
            Frequency::Monthly => day.day() == start.day(),
        },
        (false, true) => on_weekday,
        (true, false) => on_month_day,
        (false, false) => on_weekday && on_month_day,
    }
}

/// All occurrences up to `until`.
fn model(recurrence: &Recurrence, start: DateTime, until: DateTime) -> Vec<DateTime> {
    let mut times = recurrence.added().clone();
    let (mut counted, mut weeks) = (0, 0);
    let mut day = start.date();
    while let Some(rule) = recurrence.rule() {
        let at = day.to_datetime(start.time());
        let over = match rule.end() {
            End::Never => false,
            End::Count(count) => counted == count,
            End::Until(end) => at > end,
        };
        if at >= until || over {
            break;
        }
        if meant(rule, start.date(), day, weeks) {
            counted += 1;
            times.insert(at);
        }
        day = day.tomorrow().unwrap();
        weeks += i64::from(day.weekday() == rule.week_start());
    }
    if recurrence.rule().is_none() {
        times.insert(start);
    }
    let times: BTreeSet<DateTime> = times.difference(recurrence.excepted()).copied().collect();
    times.into_iter().filter(|at| *at < until).collect()
}

fn weekday() -> impl Strategy<Value = Weekday> {
    (0_i8..7).prop_map(|n| Weekday::from_monday_zero_offset(n).unwrap())
}

fn time() -> impl Strategy<Value = DateTime> {
    (0_i32..1500, 0_i8..24, 0_i8..60).prop_map(|(day, hour, minute)| {
        let day = date(2023, 12, 1).checked_add(day.days()).unwrap();
        day.at(hour, minute, 0, 0)
    })
}

prop_compose! {
    fn day(numbered: bool)(weekday in weekday(), ordinal in proptest::option::of(prop_oneof![1_i8..=5, -5_i8..=-1]))
        -> DayOfWeek
    {
        DayOfWeek { ordinal: ordinal.filter(|_| numbered), weekday }
    }
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Never),
        (1_u16..40).prop_map(End::Count),
        time().prop_map(End::Until)
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let frequency = prop_oneof![
        Just(Frequency::Daily),
        Just(Frequency::Weekly),
        Just(Frequency::Monthly)
    ];
    frequency.prop_flat_map(|frequency| {
        let month_day = prop_oneof![1_i8..=31, -31_i8..=-1];
        let month_days = if frequency == Frequency::Weekly {
            0..1_usize
        } else {
            0..4
        };
        (
            Just(frequency),
            prop_oneof![4 => 1_u16..4, 1 => 1_u16..50],
            proptest::collection::vec(day(frequency == Frequency::Monthly), 0..4),
            proptest::collection::vec(month_day, month_days),
            weekday(),
            end(),
        )
            .prop_map(|(frequency, interval, days, month_days, week_start, end)| {
                Rule::every(frequency)
                    .with_interval(interval)
                    .and_then(|rule| rule.on_days(days))
                    .and_then(|rule| rule.on_month_days(month_days))
                    .and_then(|rule| rule.with_week_start(week_start).with_end(end))
                    .unwrap()
            })
    })
}

fn any_recurrence() -> impl Strategy<Value = Recurrence> {
    let dates = || proptest::collection::vec(time(), 0..4);
    (proptest::option::weighted(0.9, any_rule()), dates(), dates())
        .prop_filter_map("empty", |(rule, added, excepted)| {
            Recurrence::new(rule, added, excepted).ok()
        })
}

/// Excepts some of the times that it gives, as nobody meets them by chance.
fn except_some(recurrence: &Recurrence, start: DateTime, which: &[usize]) -> Recurrence {
    let times = model(recurrence, start, at("2028-06-01T00:00"));
    let some = which.iter().filter_map(|n| times.get(n % times.len().max(1)).copied());
    let excepted = recurrence.excepted().iter().copied().chain(some).collect::<Vec<_>>();
    Recurrence::new(recurrence.rule().cloned(), recurrence.added().clone(), excepted).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn expansion_agrees_with_a_walk_over_the_calendar(
        recurrence in any_recurrence(),
        start in time(),
        which in proptest::collection::vec(0_usize..50, 0..3),
        from in time(),
        days in 1_i64..700,
    ) {
        let recurrence = except_some(&recurrence, start, &which);
        let until = from.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        let expected: Vec<DateTime> =
            model(&recurrence, start, until).into_iter().filter(|at| *at >= from).collect();
        match recurrence.occurrences(start, Window { from, until }) {
            Ok(times) => prop_assert_eq!(times, expected),
            Err(error) => {
                let refused = matches!(error, ExpandError::NeverOccurs | ExpandError::EndsBeforeStart { .. });
                prop_assert!(refused, "{}", error);
                prop_assert_eq!(expected, Vec::<DateTime>::new());
                prop_assert!(model(&recurrence, start, at("2031-01-01T00:00")).is_empty());
            }
        }
    }

    #[test]
    fn windows_that_meet_give_each_occurrence_once(
        recurrence in any_recurrence(), start in time(), mut cuts in proptest::collection::vec(time(), 2..6),
    ) {
        prop_assume!(recurrence.first(start).is_ok());
        cuts.sort();
        let parts: Vec<DateTime> = cuts
            .windows(2)
            .flat_map(|cut| recurrence.occurrences(start, Window { from: cut[0], until: cut[1] }).unwrap())
            .collect();
        let whole = Window { from: cuts[0], until: *cuts.last().unwrap() };
        prop_assert_eq!(parts, recurrence.occurrences(start, whole).unwrap());
    }

    #[test]
    fn a_recurrence_cut_in_two_gives_what_the_whole_gives(
        recurrence in any_recurrence(), start in time(), cut in time(),
    ) {
        prop_assume!(recurrence.first(start).is_ok());
        let all = |recurrence: &Recurrence, start| {
            recurrence.occurrences(start, window("2023-01-01T00:00", "2028-06-01T00:00")).unwrap()
        };
        let mut parts = Vec::new();
        for (start, part) in
            [recurrence.ending_before(start, cut), recurrence.continuing_from(start, cut)].into_iter().flatten()
        {
            prop_assert!(part.anchor(start).is_ok_and(|anchor| anchor == start));
            parts.extend(all(&part, start));
        }
        prop_assert_eq!(parts, all(&recurrence, start));
    }

    #[test]
    fn a_recurrence_moves_with_its_start(recurrence in any_recurrence(), start in time(), hour in 0_i64..24) {
        // By hours within the day, so that the rule's days still fit.
        let by = SignedDuration::from_hours(hour - i64::from(start.hour()));
        let moved = start.checked_add(by).unwrap();
        prop_assume!(recurrence.first(start).is_ok());
        let all = |recurrence: &Recurrence, start| {
            recurrence.occurrences(start, window("2023-01-01T00:00", "2028-06-01T00:00")).unwrap()
        };
        let expected: Vec<DateTime> =
            all(&recurrence, start).iter().map(|at| at.checked_add(by).unwrap()).collect();
        prop_assert_eq!(all(&recurrence.shifted(by).unwrap(), moved), expected);
    }

    #[test]
    fn what_is_written_is_read_again(rule in any_rule(), recurrence in any_recurrence()) {
        prop_assert_eq!(Rule::parse(&rule.to_string(), &utc(), None).unwrap(), rule);
        prop_assert_eq!(Recurrence::parse(&recurrence.to_string(), &utc(), None).unwrap(), recurrence);
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        noise in ".{0,80}",
        parts in proptest::collection::vec(
            ("(FREQ|INTERVAL|BYDAY|BYMONTHDAY|COUNT|UNTIL|WKST|RDATE|X)", "[=:;]", "[-+0-9A-ZäT,]{0,18}"), 0..6),
    ) {
        let parts: Vec<String> = parts.iter().map(|(name, sign, value)| format!("{name}{sign}{value}")).collect();
        for text in [noise, parts.join(";"), parts.join("\n"), format!("FREQ=MONTHLY;{}", parts.join(";"))] {
            if let Ok(read) = Recurrence::parse(&text, &utc(), None) {
                prop_assert_eq!(Recurrence::parse(&read.to_string(), &utc(), None).unwrap(), read);
            }
        }
    }
}
