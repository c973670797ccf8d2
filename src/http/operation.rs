//! Tells what kind of operation a document would run, without parsing it.
//!
//! The transports must know before anything runs: a GET may only query, a mutation must outlive
//! its connection, a subscription needs a stream. Reading tokens at the top level is enough for
//! that, costs one pass without recursion or allocation (so that no document can make it
//! expensive), and leaves validation to where it belongs.

/// What a document would do if it was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
    Subscription,
}

/// The kind of the operation that `document` would run under `name`; `None` where there's no
/// such operation or no single one, which execution answers with an error.
///
/// A document that can't be resolved but mentions a mutation counts as one, so that nothing
/// rests on this reading and the executor's being alike in every corner.
pub(super) fn kind(document: &str, name: Option<&str>) -> Option<Kind> {
    let mut operations = Operations::new(document);
    let mut found = None;
    let mut several = false;
    let mut mutates = false;
    while let Some((kind, own_name)) = operations.next() {
        mutates |= kind == Kind::Mutation;
        if name.is_none_or(|name| own_name == Some(name)) {
            several |= found.is_some();
            found = Some(kind);
        }
    }
    match found {
        Some(kind) if !several => Some(kind),
        _ if mutates => Some(Kind::Mutation),
        _ => None,
    }
}

/// The operations of a document, in order.
struct Operations<'a> {
    tokens: Tokens<'a>,
}

impl<'a> Operations<'a> {
    fn new(document: &'a str) -> Self {
        Self {
            tokens: Tokens { rest: document },
        }
    }

    fn next(&mut self) -> Option<(Kind, Option<&'a str>)> {
        loop {
            let kind = match self.tokens.next()? {
                Token::Open('{') => {
                    self.skip_selections(1);
                    return Some((Kind::Query, None));
                }
                Token::Name("query") => Kind::Query,
                Token::Name("mutation") => Kind::Mutation,
                Token::Name("subscription") => Kind::Subscription,
                // A fragment, or something that isn't a definition: up to the end of its braces.
                Token::Name(_) => {
                    self.skip_selections(0);
                    continue;
                }
                // A description, or nothing that belongs here.
                Token::Open(_) | Token::Close | Token::Other => continue,
            };
            let mut ahead = self.tokens;
            let name = match ahead.next() {
                Some(Token::Name(name)) => Some(name),
                _ => None,
            };
            self.skip_selections(0);
            return Some((kind, name));
        }
    }

    /// Moves behind the brace that closes a definition's selection set, `depth` brackets deep.
    fn skip_selections(&mut self, mut depth: usize) {
        // Braces within parentheses or brackets are default values, not selections.
        let mut selecting = depth > 0;
        while let Some(token) = self.tokens.next() {
            match token {
                Token::Open(bracket) => {
                    selecting |= depth == 0 && bracket == '{';
                    depth += 1;
                }
                Token::Close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && selecting {
                        return;
                    }
                }
                Token::Name(_) | Token::Other => {}
            }
        }
    }
}

enum Token<'a> {
    Name(&'a str),
    Open(char),
    Close,
    Other,
}

#[derive(Clone, Copy)]
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let start = self.rest;
            let first = start.chars().next()?;
            let behind = start.get(first.len_utf8()..)?;
            self.rest = behind;
            return Some(match first {
                '#' => {
                    let end = behind.find(['\n', '\r']).unwrap_or(behind.len());
                    self.rest = behind.get(end..)?;
                    continue;
                }
                '"' => {
                    self.rest = behind_string(behind);
                    Token::Other
                }
                '{' | '(' | '[' => Token::Open(first),
                '}' | ')' | ']' => Token::Close,
                c if is_name(c) => {
                    let end = start.find(|c| !is_name(c)).unwrap_or(start.len());
                    self.rest = start.get(end..)?;
                    Token::Name(start.get(..end)?)
                }
                c if c.is_whitespace() || c == ',' || c == '\u{feff}' => continue,
                _ => Token::Other,
            });
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What follows a string whose opening quote has been read.
fn behind_string(text: &str) -> &str {
    if let Some(block) = text.strip_prefix("\"\"") {
        return behind_block_string(block);
    }
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            // A line's end ends an unterminated string too.
            '"' | '\n' | '\r' => return text.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

fn behind_block_string(mut text: &str) -> &str {
    while let Some(at) = text.find("\"\"\"") {
        let escaped = text.get(..at).is_some_and(|before| before.ends_with('\\'));
        text = text.get(at + 3..).unwrap_or_default();
        if !escaped {
            return text;
        }
    }
    ""
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_that_of_the_operation_that_would_run() {
        let (query, mutation) = (Some(Kind::Query), Some(Kind::Mutation));
        let subscription = Some(Kind::Subscription);
        let two = "query A { a } mutation B { b }";
        for (document, name, expected) in [
            ("{ a }", None, query),
            ("query { a }", None, query),
            ("\u{feff},query{a}", None, query),
            ("mutation{a}", None, mutation),
            ("subscription S { a }", None, subscription),
            ("subscription S { a }", Some("S"), subscription),
            (two, Some("A"), query),
            (two, Some("B"), mutation),
            ("fragment F on Query { a { b } } query { ...F }", None, query),
            ("fragment mutation on Query { a } query { ...mutation }", None, query),
            ("query mutation { mutation }", None, query),
            ("# mutation { a }\n{ a }", None, query),
            ("{ a(b: \"} mutation { c }\") }", None, query),
            ("{ a(b: \"\\\"} mutation { c }\") }", None, query),
            ("{ a(b: \"\") } # mutation { c }", None, query),
            ("{ a(b: \"\"\"} mutation \\\"\"\" { c }\"\"\") }", None, query),
            ("query ($a: In = {b: [{c: 1}]}) @d(e: {f: 1}) { a }", None, query),
            ("mutation ($a: In = {b: 1}) { a }", None, mutation),
            (
                "\"of the query\" query A { a } \"\"\"of the\nother\"\"\" mutation B { b }",
                Some("B"),
                mutation,
            ),
        ] {
            assert_eq!(kind(document, name), expected, "{document} as {name:?}");
        }
    }

    #[test]
    fn what_cannot_be_resolved_is_a_mutation_if_it_mentions_one() {
        for (document, name) in [
            ("query A { a } mutation B { b }", None),
            ("query A { a } mutation B { b }", Some("C")),
            ("mutation B { b", Some("")),
        ] {
            assert_eq!(kind(document, name), Some(Kind::Mutation), "{document}");
        }
        for (document, name) in [("", None), ("}{", Some("a")), ("query A{a} query B{b}", None)] {
            assert_eq!(kind(document, name), None, "{document}");
        }
    }

    #[test]
    fn the_reading_agrees_with_the_parser() {
        use async_graphql::parser::{parse_query, types::OperationType};
        for document in [
            "{a(b:\"\"\"\\\"\"\"\"\"\")} ",
            "query Q($a:[Int!]!=[1,2]){a(b:$a){c}}fragment F on T{x}",
            "fragment F on T @d(a:\"{\"){x{y}}mutation M{a{...on T{b}}}",
            "subscription S @live{a(b:{c:{d:\"}\"}})}",
            "query Q{a(b:\"\\\\\")}#}\rfragment F on T{x}",
        ] {
            let parsed = parse_query(document).unwrap();
            let (_, operation) = parsed.operations.iter().next().unwrap();
            let expected = match operation.node.ty {
                OperationType::Query => Kind::Query,
                OperationType::Mutation => Kind::Mutation,
                OperationType::Subscription => Kind::Subscription,
            };
            assert_eq!(kind(document, None), Some(expected), "{document}");
        }
    }
}
