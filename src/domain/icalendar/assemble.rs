//! From what stands in the file to events: ends, zones, rules, and which occurrences are changed.

use std::collections::{BTreeMap, HashMap};

use jiff::{ToSpan as _, civil::DateTime, civil::Time};

use super::{
    EventDetails, ImportedEvent, ImportedException,
    event::{Ending, Entry},
    problem::{Problems, Reason},
    values::Moment,
};
use crate::domain::{
    recurrence::{ExpandError, Recurrence, Rule},
    time::ZoneName,
};

/// Where a calendar's times are, if they don't say.
pub(super) struct Place<'a> {
    /// The business's zone.
    pub(super) site: &'a ZoneName,
    /// The zone in which the calendar is shown.
    pub(super) calendar: ZoneName,
}

/// Makes events of entries, in the order in which each is first named. Says how many versions were passed over.
pub(super) fn events(entries: Vec<Entry>, place: &Place<'_>, problems: &mut Problems) -> (Vec<ImportedEvent>, usize) {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        let group = *known.entry(entry.uid.clone()).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    let (mut events, mut superseded) = (Vec::new(), 0);
    for group in groups {
        // A rule that never takes place is slow to find out about.
        if problems.full() {
            break;
        }
        events.extend(of_one_uid(group, place, problems, &mut superseded));
    }
    (events, superseded)
}

/// An event with its changed occurrences. Without the event itself (somebody was invited to one occurrence only), each
/// of them is an event. Of several versions the newest counts, of equal ones the last in the file.
fn of_one_uid(
    entries: Vec<Entry>,
    place: &Place<'_>,
    problems: &mut Problems,
    superseded: &mut usize,
) -> Vec<ImportedEvent> {
    let (occurrences, masters): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| entry.occurrence.is_some());
    *superseded += masters.len().saturating_sub(1);
    let master = masters.into_iter().max_by_key(|entry| entry.version);
    let event = match master {
        Some(master) => match event(&master, place, problems) {
            Some(event) => Some(event),
            None => return Vec::new(),
        },
        None => None,
    };
    let mut changed = BTreeMap::new();
    for entry in &occurrences {
        let read = entry.occurrence.as_ref().zip(details(entry, false, place, problems));
        let Some((occurrence, details)) = read else { continue };
        let of = event.as_ref().map_or(&details, |event| &event.details);
        let original_start = start_of(occurrence, of);
        let exception = ImportedException {
            line: entry.line,
            original_start,
            details,
        };
        let older = changed
            .get(&original_start)
            .is_none_or(|(version, _)| *version <= entry.version);
        *superseded += usize::from(changed.contains_key(&original_start));
        if older {
            changed.insert(original_start, (entry.version, exception));
        }
    }
    let exceptions = changed.into_values().map(|(_, exception)| exception);
    if let Some(mut event) = event {
        event.exceptions = exceptions.collect();
        return vec![event];
    }
    let uid = occurrences.first().map_or("", |entry| &entry.uid);
    exceptions
        .map(|exception| ImportedEvent {
            line: exception.line,
            uid: uid.to_owned(),
            original_start: Some(exception.original_start),
            details: exception.details,
            recurrence: None,
            exceptions: Vec::new(),
        })
        .collect()
}

/// The local start that a file means by the date or time of one occurrence of an event.
fn start_of(occurrence: &Moment, event: &EventDetails) -> DateTime {
    match occurrence {
        // Some programs name the day only, of events with a time too.
        Moment::Date(date) => date.to_datetime(event.local_start.time()),
        other if event.all_day => other.local(&event.time_zone).date().to_datetime(Time::MIN),
        other => other.local(&event.time_zone),
    }
}

fn event(entry: &Entry, place: &Place<'_>, problems: &mut Problems) -> Option<ImportedEvent> {
    let repeats = entry.rule.is_some() || !entry.added.is_empty();
    let mut details = details(entry, repeats, place, problems)?;
    let recurrence = if repeats {
        let line = entry.rule.as_ref().map_or(entry.line, |rule| rule.number);
        let recurrence = problems.take(line, recurrence(entry, &details))?;
        // Over before it begins: what some programs leave of a series whose every occurrence was split off.
        details.cancelled |= recurrence.is_none();
        recurrence
    } else {
        None
    };
    Some(ImportedEvent {
        line: entry.line,
        uid: entry.uid.clone(),
        original_start: None,
        details,
        recurrence,
        exceptions: Vec::new(),
    })
}

fn recurrence(entry: &Entry, details: &EventDetails) -> Result<Option<Recurrence>, Reason> {
    let rule = match &entry.rule {
        Some(line) => Some(Rule::parse(
            &line.value,
            &details.time_zone,
            Some(details.local_start.date()),
        )?),
        None => None,
    };
    let dates = |moments: &[Moment]| moments.iter().map(|at| start_of(at, details)).collect::<Vec<_>>();
    let recurrence = Recurrence::new(rule, dates(&entry.added), dates(&entry.excepted))?;
    match recurrence.anchor(details.local_start) {
        Err(ExpandError::EndsBeforeStart { .. }) if recurrence.added().is_empty() => Ok(None),
        Err(ExpandError::EndsBeforeStart { .. }) | Ok(_) => Ok(Some(recurrence)),
        Err(error) => Err(error.into()),
    }
}

fn details(entry: &Entry, repeats: bool, place: &Place<'_>, problems: &mut Problems) -> Option<EventDetails> {
    let (line, start) = &entry.start;
    let (time_zone, local_start) = match start {
        Moment::Date(_) => (place.site.clone(), start.local(place.site)),
        Moment::Floating(local) => (place.calendar.clone(), *local),
        Moment::Zoned(local, zone) => (zone.clone(), *local),
        Moment::Utc(_) => {
            let zone = shown_in(entry, repeats, place);
            let local = start.local(&zone);
            (zone, local)
        }
    };
    let dated = matches!(start, Moment::Date(_));
    let local_end = problems.take(entry.ending.0, ends(&entry.ending.1, dated, local_start, &time_zone))?;
    let over = |end: DateTime| time_zone.instant(end) < time_zone.instant(local_start);
    // Where the clock goes back, an end may well show an earlier time than the start; where it goes forward, both may
    // be in the skipped hour.
    if local_end < local_start && over(local_end) {
        problems.put(entry.ending.0, Reason::EndBeforeStart);
        return None;
    }
    if local_end.year() > crate::domain::time::LATEST_YEAR {
        problems.put(*line, Reason::OutOfRange("DTEND"));
        return None;
    }
    let midnights = [local_start, local_end].iter().all(|at| at.time() == Time::MIN) && local_start < local_end;
    Some(EventDetails {
        title: entry.title.clone(),
        description: entry.description.clone(),
        place: entry.place.clone(),
        local_start,
        local_end,
        time_zone,
        all_day: dated || (entry.whole_days && midnights),
        transparent: entry.transparent,
        cancelled: entry.cancelled,
    })
}

/// The zone on whose clock an event in universal time is written down. A rule in universal time is met on that clock; a
/// single event may as well be shown where its calendar is, unless it is in an hour that the clock there shows twice.
fn shown_in(entry: &Entry, repeats: bool, place: &Place<'_>) -> ZoneName {
    let exact = |moment: &Moment| match moment {
        Moment::Utc(at) => place.calendar.instant(place.calendar.local(*at)) == Some(*at),
        _ => true,
    };
    let ends = match &entry.ending.1 {
        Ending::At(end) => exact(end),
        Ending::Lasts(_) | Ending::Unsaid => true,
    };
    if repeats || entry.occurrence.is_some() || !exact(&entry.start.1) || !ends {
        ZoneName::utc()
    } else {
        place.calendar.clone()
    }
}

fn ends(ending: &Ending, dated: bool, start: DateTime, zone: &ZoneName) -> Result<DateTime, Reason> {
    let days = |days: i64| start.checked_add(days.days()).map_err(|_| Reason::OutOfRange("DTEND"));
    match ending {
        Ending::At(Moment::Date(date)) if dated => {
            let end = date.to_datetime(Time::MIN);
            // An event of no days is what some programs write for one of a single day.
            if end == start { days(1) } else { Ok(end) }
        }
        Ending::At(Moment::Date(_)) => Err(Reason::MixedEnd),
        Ending::At(_) if dated => Err(Reason::MixedEnd),
        Ending::At(end) => Ok(end.local(zone)),
        Ending::Lasts(length) if dated && length.seconds % 86_400 != 0 => Err(Reason::MixedEnd),
        Ending::Lasts(length) if dated => days((length.days + length.seconds / 86_400).max(1)),
        Ending::Lasts(length) => length.end(start, zone).ok_or(Reason::OutOfRange("DURATION")),
        Ending::Unsaid if dated => days(1),
        // It happens at a moment and takes no time.
        Ending::Unsaid => Ok(start),
    }
}
