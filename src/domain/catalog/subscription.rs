//! A course that is paid for month by month (`spec/catalog-availability.md` §1.3).

use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use super::Percentage;

/// When the first month is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstCharge {
    /// When it is booked.
    Checkout,
    /// On this day, whenever it is booked: who comes later pays only what is still to be charged.
    Scheduled(Date),
}

/// Everything paid at once instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullUpfrontPayment {
    /// What is taken off for it.
    pub discount: Option<Percentage>,
}

/// How often and from when on a month's amount is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billing {
    /// Payments in all, [`Billing::PAYMENTS`].
    pub total_payments: i32,
    /// When the first of them is due.
    pub first_charge: FirstCharge,
    /// Whether, and for how much less, everything can be paid at once.
    pub full_upfront: Option<FullUpfrontPayment>,
}

impl Billing {
    /// How many payments there may be: two, as one is a price, up to ten years of them.
    pub const PAYMENTS: std::ops::RangeInclusive<i32> = 2..=120;

    /// Payments of somebody who books on this day: all that are due on it or later, and never none.
    #[must_use]
    pub fn remaining_payments(&self, on: Date) -> i32 {
        let FirstCharge::Scheduled(first) = self.first_charge else {
            return self.total_payments;
        };
        let is_past = |number: &i32| first.checked_add(number.months()).is_ok_and(|due| due < on);
        let past = (0..self.total_payments).take_while(is_past).count();
        let past = i32::try_from(past).unwrap_or(self.total_payments);
        (self.total_payments - past).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn who_comes_later_pays_what_is_still_to_be_charged() {
        let from = |first_charge| Billing {
            total_payments: 4,
            first_charge,
            full_upfront: None,
        };
        let billing = from(FirstCharge::Scheduled(date(2026, 1, 31)));
        for (on, left) in [
            (date(2025, 12, 1), 4),
            (date(2026, 1, 31), 4),
            (date(2026, 2, 1), 3),
            // The day of the month that there isn't is its last.
            (date(2026, 2, 28), 3),
            (date(2026, 3, 1), 2),
            (date(2026, 4, 30), 1),
            (date(2026, 5, 1), 1),
            (date(2030, 1, 1), 1),
        ] {
            assert_eq!(billing.remaining_payments(on), left, "{on}");
        }
        assert_eq!(from(FirstCharge::Checkout).remaining_payments(date(2030, 1, 1)), 4);
    }
}
