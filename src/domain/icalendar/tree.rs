//! Components: what stands between a `BEGIN` and its `END`.

use super::{
    lines::Line,
    problem::{Problems, Reason},
};

/// Components within components, at the most: a zone's rule is the third, an event's alarm too.
const MAX_DEPTH: usize = 8;

/// A component with its properties and parts, in the file's order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Component {
    /// The line of its `BEGIN`.
    pub(super) line: usize,
    /// Its name, in capitals.
    pub(super) name: String,
    pub(super) properties: Vec<Line>,
    pub(super) parts: Vec<Component>,
}

impl Component {
    /// The properties of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    /// The first property of that name.
    pub(super) fn first<'a>(&'a self, name: &'a str) -> Option<&'a Line> {
        self.all(name).next()
    }

    /// The parts of that name.
    pub(super) fn parts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Component> {
        self.parts.iter().filter(move |part| part.name == name)
    }
}

/// The calendars of a file.
pub(super) fn calendars(lines: Vec<Line>, problems: &mut Problems) -> Vec<Component> {
    let mut calendars = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    for line in lines {
        match (line.name.as_str(), open.last_mut()) {
            ("BEGIN", _) => {
                let name = line.value.trim().to_ascii_uppercase();
                if open.is_empty() && name != "VCALENDAR" {
                    problems.put(line.number, Reason::NoCalendar);
                    return calendars;
                }
                if open.len() == MAX_DEPTH {
                    problems.put(line.number, Reason::TooDeep);
                    return calendars;
                }
                open.push(Component {
                    line: line.number,
                    name,
                    properties: Vec::new(),
                    parts: Vec::new(),
                });
            }
            ("END", _) => {
                let name = line.value.trim().to_ascii_uppercase();
                let Some(closed) = open.pop_if(|component| component.name == name) else {
                    problems.put(line.number, Reason::StrayEnd(line.value.chars().take(40).collect()));
                    return calendars;
                };
                match open.last_mut() {
                    Some(outer) => outer.parts.push(closed),
                    None => calendars.push(closed),
                }
            }
            (_, Some(component)) => component.properties.push(line),
            (_, None) => {
                problems.put(line.number, Reason::NoCalendar);
                return calendars;
            }
        }
    }
    if let Some(unclosed) = open.first() {
        problems.put(
            unclosed.line,
            Reason::Unclosed(unclosed.name.chars().take(40).collect()),
        );
    } else if calendars.is_empty() && problems.is_empty() {
        problems.put(1, Reason::NoCalendar);
    }
    calendars
}
