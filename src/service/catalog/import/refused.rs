//! What is told of a file that was refused because of bookings.

use jiff::Timestamp;

use crate::{
    domain::{Rejection, ids::BookingId},
    store::{Failure, Tx, bookings},
};

/// Bookings that one refusal names, at the most.
const NAMED: usize = 5;

/// A booking that is in the way of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InTheWay {
    /// Which.
    pub id: BookingId,
    /// When it begins; a course's begins with its run.
    pub start: Option<Timestamp>,
}

/// The bookings that a refusal is about, by their start.
pub(super) async fn in_the_way(tx: &mut Tx<'_>, rejection: &Rejection) -> Result<Vec<InTheWay>, Failure> {
    let ids = rejection.bookings();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let site = tx.site();
    let mut found: Vec<InTheWay> = bookings::find_many(tx.conn(), site, ids)
        .await?
        .into_iter()
        .map(|booking| InTheWay {
            id: booking.id,
            start: booking.booked.span.map(|span| span.start()),
        })
        .collect();
    found.sort_by_key(|booking| (booking.start, booking.id));
    Ok(found)
}

/// A refusal in words, with the line and the bookings.
pub(super) fn told(line: usize, rejection: &Rejection, bookings: &[InTheWay]) -> String {
    let told = if line > 0 {
        format!("line {line}: {rejection}")
    } else {
        rejection.to_string()
    };
    if bookings.is_empty() {
        return told;
    }
    let named = bookings.iter().take(NAMED).map(|booking| match booking.start {
        Some(start) => format!("{} from {start}", booking.id),
        None => booking.id.to_string(),
    });
    let named: Vec<String> = named.collect();
    let more = match bookings.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{told}: {}{more}", named.join(", "))
}
