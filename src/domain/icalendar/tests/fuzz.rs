//! Whatever bytes come, the reader answers.

use proptest::prelude::*;

use super::{samples::SAMPLES, *};

/// Reads, and where something was read, asks for its times.
fn answers(file: &[u8]) -> Result<(), TestCaseError> {
    let year = TimeSpan::new(
        "2026-01-01T00:00Z".parse().unwrap(),
        "2027-01-01T00:00Z".parse().unwrap(),
    )
    .unwrap();
    match Timetable::read(file, &site()) {
        Ok(timetable) => {
            for it in timetable.occurrences(year).iter().flatten() {
                prop_assert!(it.span.is_none_or(|span| span.start() == it.start));
            }
        }
        Err(error) => {
            prop_assert!((1..=MAX_PROBLEMS).contains(&error.problems.len()));
            prop_assert!(error.problems.is_sorted_by_key(|problem| problem.line));
            let lines = file.split(|byte| *byte == b'\n').count();
            prop_assert!(
                error.problems.iter().all(|problem| (1..=lines).contains(&problem.line)),
                "{}",
                error
            );
        }
    }
    Ok(())
}

#[derive(Debug, Clone)]
enum Mutation {
    Byte(usize, u8),
    Cut(usize, usize),
    Copy(usize, usize, usize),
    Insert(usize, String),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let words = "(BEGIN:VEVENT|END:VEVENT|RRULE:|FREQ=DAILY|;TZID=|:|;|\r\n|\n |=|,|2026|-1|99999999999|BYDAY=5SU|Z|\"|\\\\|DURATION:P1D\n|\
                 RECURRENCE-ID:20260309T180000\n|UNTIL=19700101|INTERVAL=0|COUNT=1|TZOFFSETTO:-2500\n)";
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Byte(at, byte)),
        (any::<usize>(), 0_usize..60).prop_map(|(at, length)| Mutation::Cut(at, length)),
        (any::<usize>(), any::<usize>(), 0_usize..200).prop_map(|(from, to, length)| Mutation::Copy(from, to, length)),
        (any::<usize>(), words).prop_map(|(at, word)| Mutation::Insert(at, word)),
    ]
}

fn mutate(file: &mut Vec<u8>, mutation: &Mutation) {
    let length = file.len();
    if length == 0 {
        return;
    }
    match mutation {
        Mutation::Byte(at, byte) => file[at % length] = *byte,
        Mutation::Cut(at, cut) => {
            let at = at % length;
            file.drain(at..(at + cut).min(length));
        }
        Mutation::Copy(from, to, copied) => {
            let from = from % length;
            let part = file[from..(from + copied).min(length)].to_vec();
            let to = to % length;
            file.splice(to..to, part);
        }
        Mutation::Insert(at, word) => {
            let at = at % length;
            file.splice(at..at, word.bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn random_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        answers(&bytes)?;
        answers(event(&String::from_utf8_lossy(&bytes)).as_bytes())?;
    }

    #[test]
    fn random_properties_are_answered(
        lines in proptest::collection::vec(
            ("(DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|RECURRENCE-ID|SUMMARY|TRANSP|X-A)",
             "(|;VALUE=DATE|;TZID=Europe/Berlin|;TZID=Custom|;TZID=\"|;)", ":", "[-+A-Z0-9=;,T:]{0,24}|20260[1-9]0[1-9](T1[0-9]0000Z?)?"),
            0..8),
    ) {
        let lines: Vec<String> = lines.into_iter().map(|(name, parameter, colon, value)| name + &parameter + &colon + &value).collect();
        answers(event(&lines.join("\n")).as_bytes())?;
    }

    #[test]
    fn mutated_samples_are_answered(
        which in 0..SAMPLES.len(), mutations in proptest::collection::vec(mutation(), 1..12),
    ) {
        let mut file = SAMPLES[which].1.to_vec();
        for mutation in &mutations {
            mutate(&mut file, mutation);
        }
        answers(&file)?;
    }

    #[test]
    fn a_sample_cut_off_anywhere_is_not_half_read(which in 0..SAMPLES.len(), at in any::<usize>()) {
        let file = SAMPLES[which].1;
        let cut = at % file.len();
        // Once the last calendar has begun, and before its `END` is there, nothing is read.
        let begin = file.windows(15).rposition(|window| window == b"BEGIN:VCALENDAR").unwrap() + 15;
        let end = file.windows(13).rposition(|window| window == b"END:VCALENDAR").unwrap() + 13;
        if (begin..end).contains(&cut) {
            prop_assert!(Timetable::read(&file[..cut], &site()).is_err());
        }
    }

    #[test]
    fn the_line_ends_and_folds_of_a_file_mean_nothing(which in 0..SAMPLES.len(), width in 1_usize..80) {
        let (_, file) = SAMPLES[which];
        let mut text = String::from_utf8(file.to_vec()).unwrap().replace("\r\n", "\n").replace("\n ", "");
        let unfolded = read(text.as_bytes());
        text = text.lines().map(|line| {
            let chars: Vec<char> = line.chars().collect();
            chars.chunks(width).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("\r\n\t")
        }).collect::<Vec<_>>().join("\r\n");
        let refolded = read(text.as_bytes());
        prop_assert_eq!(shown(&unfolded), shown(&refolded));
        prop_assert_eq!(shown(&unfolded), shown(&read(file)));
    }
}
