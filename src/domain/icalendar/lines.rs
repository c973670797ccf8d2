//! Content lines: unfolded, decoded, split into name, parameters and value (RFC 5545 §3.1, RFC 6868).

use super::problem::{Problems, Reason};

/// Properties whose values are dates or times.
const TIMES: [&str; 5] = ["DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"];

/// One line of the file, as it was before it was folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the file, from 1.
    pub(super) number: usize,
    /// The name, in capitals.
    pub(super) name: String,
    /// The parameters that matter here: names in capitals, and the first value of each.
    parameters: Vec<(String, String)>,
    /// The value as it is written, escapes and all.
    pub(super) value: String,
}

impl Line {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value as a text (RFC 5545 §3.3.11).
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut escaped = false;
        for c in self.value.chars() {
            match (escaped, c) {
                (false, '\\') => {
                    escaped = true;
                    continue;
                }
                (true, 'n' | 'N') => text.push('\n'),
                (_, c) => text.push(c),
            }
            escaped = false;
        }
        text
    }
}

/// The lines of a file: CRLF or LF, with or without a byte order mark. Empty ones are passed over.
pub(super) fn lines(file: &[u8], problems: &mut Problems) -> Vec<Line> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut lines = Vec::new();
    let mut unfolded: Option<(usize, Vec<u8>)> = None;
    // Unfolding works on bytes: a fold may fall into the middle of a character.
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line, &mut unfolded) {
            ([b' ' | b'\t', rest @ ..], Some((_, line))) => line.extend_from_slice(rest),
            _ => {
                if let Some((number, bytes)) = unfolded.replace((index + 1, line.to_vec())) {
                    lines.extend(line_of(number, bytes, problems));
                }
            }
        }
        if lines.len() > super::MAX_LINES {
            problems.put(index + 1, Reason::TooManyLines);
            return Vec::new();
        }
        if problems.full() {
            return Vec::new();
        }
    }
    if let Some((number, bytes)) = unfolded {
        lines.extend(line_of(number, bytes, problems));
    }
    lines
}

fn line_of(number: usize, bytes: Vec<u8>, problems: &mut Problems) -> Option<Line> {
    let text = problems.take(number, String::from_utf8(bytes).map_err(|_| Reason::NotUtf8))?;
    if text.trim().is_empty() {
        return None;
    }
    problems.take(number, parse(number, &text))
}

fn parse(number: usize, text: &str) -> Result<Line, Reason> {
    if text.contains('\0') {
        return Err(Reason::Nul);
    }
    let (property, mut rest) = name(text)?;
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let (name, after) = self::name(after)?;
        let after = after.strip_prefix('=').ok_or(Reason::NotAProperty)?;
        let (value, after) = match name.as_str() {
            "TZID" if TIMES.contains(&property.as_str()) => zone(after)?,
            _ => values(after)?,
        };
        // The rest would only take up memory.
        if matches!(name.as_str(), "TZID" | "VALUE" | "RANGE") {
            parameters.push((name, value));
        }
        rest = after;
    }
    let value = rest.strip_prefix(':').ok_or(Reason::NotAProperty)?;
    Ok(Line {
        number,
        name: property,
        parameters,
        value: value.to_owned(),
    })
}

fn name(text: &str) -> Result<(String, &str), Reason> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = text.find(|c| !is_name(c)).ok_or(Reason::NotAProperty)?;
    let (name, rest) = text.split_at_checked(end).ok_or(Reason::NotAProperty)?;
    if name.is_empty() {
        return Err(Reason::NotAProperty);
    }
    Ok((name.to_ascii_uppercase(), rest))
}

/// A zone's name, and what follows. Some programs leave out the quotation marks that a name with a colon or a comma in
/// it needs, such as `(UTC+01:00) Berlin, Rome`; no date has a colon, so the last one ends the name.
fn zone(text: &str) -> Result<(String, &str), Reason> {
    if text.starts_with('"') {
        return values(text);
    }
    let end = text.find(';').or_else(|| text.rfind(':')).ok_or(Reason::NotAProperty)?;
    let (value, rest) = text.split_at_checked(end).ok_or(Reason::NotAProperty)?;
    Ok((unescape(value), rest))
}

/// The first of a parameter's values, and what follows all of them.
fn values(text: &str) -> Result<(String, &str), Reason> {
    let (first, mut rest) = one(text)?;
    while let Some(after) = rest.strip_prefix(',') {
        (_, rest) = one(after)?;
    }
    Ok((first, rest))
}

fn one(text: &str) -> Result<(String, &str), Reason> {
    let (value, rest) = if let Some(quoted) = text.strip_prefix('"') {
        quoted.split_once('"').ok_or(Reason::UnclosedQuote)?
    } else {
        let end = text.find([';', ':', ',']).ok_or(Reason::NotAProperty)?;
        text.split_at_checked(end).ok_or(Reason::NotAProperty)?
    };
    Ok((unescape(value), rest))
}

/// The three characters that a parameter can't hold otherwise (RFC 6868).
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('^') {
        text.push_str(before);
        let (c, length) = match after.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b'\'') => ('"', 1),
            Some(b'^') => ('^', 1),
            _ => ('^', 0),
        };
        text.push(c);
        rest = after.get(length..).unwrap_or_default();
    }
    text + rest
}
