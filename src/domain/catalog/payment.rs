//! What a service costs and how it is paid for (`spec/catalog-availability.md` §1.3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Billing;
use crate::domain::{
    Rejection,
    booking::SelectedPaymentOption,
    money::{Currency, Money},
    rejection::{Field, Invalid},
    text,
};

/// What a service costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Price {
    /// Nothing.
    NoFee,
    /// The same for each participant; more than zero.
    Fixed(Money),
    /// It depends on what is chosen.
    Varied {
        /// What a choice costs that has no price of its own.
        default: Money,
    },
    /// What the words say; it can't be paid online.
    Custom {
        /// The words, at most 50 characters.
        description: Option<String>,
    },
    /// So much each month; of courses, paid online alone.
    Subscription {
        /// What each participant pays a month; more than zero.
        per_cycle: Money,
        /// How often, and from when on.
        billing: Billing,
    },
}

impl Price {
    /// The amount for each participant, if there is one: of varied prices, that of choices without their own; of
    /// subscriptions, that of a month.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        match self {
            Self::Fixed(money) | Self::Varied { default: money } | Self::Subscription { per_cycle: money, .. } => {
                Some(*money)
            }
            Self::NoFee | Self::Custom { .. } => None,
        }
    }
}

/// A part of a whole in hundredths of a percent: 0.01 to 100 percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percentage(u16);

impl Percentage {
    /// Reads a decimal such as `12.5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || whole.len() > 3 || fraction.len() > 2 {
            return None;
        }
        let hundredths = whole.parse::<u16>().ok()? * 100 + format!("{fraction:0<2}").parse::<u16>().ok()?;
        (1..=Self::WHOLE.0).contains(&hundredths).then_some(Self(hundredths))
    }

    /// All of it.
    pub const WHOLE: Self = Self(10_000);
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// What is paid when booking, where not everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deposit {
    /// So much for each participant.
    Amount(Money),
    /// A part of the price.
    Percentage(Percentage),
}

/// What is paid when booking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownPayment {
    /// How much, where [`PaymentOptions::deposit`] asks for a part.
    pub deposit: Option<Deposit>,
    /// Whether the customer may pay everything at once instead.
    pub full_upfront_allowed: bool,
}

/// How a service can be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is a way to pay, and any may be open"
)]
pub struct PaymentOptions {
    /// Online, at checkout.
    pub online: bool,
    /// At the business.
    pub in_person: bool,
    /// A deposit online, and the rest later.
    #[serde(default)]
    pub deposit: bool,
    /// With a pricing plan.
    #[serde(default)]
    pub pricing_plan: bool,
}

impl PaymentOptions {
    /// At the business and in no other way.
    #[must_use]
    pub fn in_person_alone() -> Self {
        Self {
            online: false,
            in_person: true,
            deposit: false,
            pricing_plan: false,
        }
    }

    /// Online and in no other way.
    #[must_use]
    pub fn online_alone() -> Self {
        Self {
            online: true,
            in_person: false,
            ..Self::in_person_alone()
        }
    }

    /// Whether a customer may mean to pay like this.
    #[must_use]
    pub fn offer(&self, option: SelectedPaymentOption) -> bool {
        match option {
            SelectedPaymentOption::Undefined => true,
            SelectedPaymentOption::Online => self.online,
            SelectedPaymentOption::Offline => self.in_person,
            SelectedPaymentOption::Membership | SelectedPaymentOption::MembershipOffline => self.pricing_plan,
        }
    }
}

fn refuse(path: &[&str], message: &str) -> Rejection {
    let place = ["payment", "options"].iter().chain(path);
    Rejection::Invalid(Invalid {
        field: Field::PaymentOptions,
        path: place.map(|segment| (*segment).to_owned()).collect(),
        message: message.to_owned(),
    })
}

fn of_site(money: Money, currency: Currency, path: &[&str]) -> Result<(), Rejection> {
    if money.currency == currency {
        return Ok(());
    }
    let path: Vec<&str> = path.iter().copied().chain(["currency"]).collect();
    Err(Rejection::invalid(
        &path,
        format!("must be the site's, {}", currency.as_str()),
    ))
}

/// Refuses a price, ways to pay and a deposit that don't go together. `currency` is the site's.
pub(super) fn check_payment(
    price: &Price,
    options: PaymentOptions,
    down: DownPayment,
    currency: Currency,
) -> Result<(), Rejection> {
    check_price(price, currency)?;
    match price {
        Price::Fixed(money) | Price::Varied { default: money } => {
            if !options.online && !options.in_person && !options.pricing_plan {
                return Err(refuse(&[], "must allow at least one way to pay"));
            }
            check_deposit(*money, options, down, currency)
        }
        Price::Subscription { .. } => {
            if !options.online {
                return Err(refuse(
                    &["online"],
                    "must be for a subscription: its months are charged online",
                ));
            }
            for (is, path) in [
                (options.in_person, "inPerson"),
                (options.deposit, "deposit"),
                (options.pricing_plan, "pricingPlan"),
            ] {
                if is {
                    return Err(refuse(
                        &[path],
                        "can't be for a subscription, which is paid online alone",
                    ));
                }
            }
            check_no_deposit(down, "is for services that aren't paid by subscription")
        }
        Price::Custom { .. } | Price::NoFee => {
            if options.online || !options.in_person {
                return Err(refuse(
                    &[],
                    "must be in person, and not online, for a service without an amount",
                ));
            }
            if options.deposit {
                return Err(refuse(&["deposit"], "is for services with an amount"));
            }
            if options.pricing_plan && *price == Price::NoFee {
                return Err(refuse(&["pricingPlan"], "is for services that cost something"));
            }
            check_no_deposit(down, "is for services with an amount")
        }
    }
}

fn check_no_deposit(down: DownPayment, message: &str) -> Result<(), Rejection> {
    let refused = if down.deposit.is_some() {
        "deposit"
    } else if down.full_upfront_allowed {
        "fullUpfrontPaymentAllowed"
    } else {
        return Ok(());
    };
    Err(Rejection::invalid(&["payment", refused], message))
}

fn check_price(price: &Price, currency: Currency) -> Result<(), Rejection> {
    match price {
        Price::Fixed(money) => {
            of_site(*money, currency, &["payment", "price"])?;
            if money.minor < 1 {
                let message = "must be more than zero; a service without a price is `NO_FEE`";
                return Err(Rejection::invalid(&["payment", "price", "amount"], message));
            }
        }
        Price::Varied { default } => of_site(*default, currency, &["payment", "defaultPrice"])?,
        Price::Custom {
            description: Some(words),
        } => {
            text::required(words, 50).map_err(|invalid| invalid.at("description").at("payment"))?;
        }
        Price::Custom { description: None } | Price::NoFee => {}
        Price::Subscription { per_cycle, billing } => check_subscription(*per_cycle, billing, currency)?,
    }
    Ok(())
}

fn check_subscription(per_cycle: Money, billing: &Billing, currency: Currency) -> Result<(), Rejection> {
    let amount = ["payment", "subscription", "amountPerBillingCycle"];
    of_site(per_cycle, currency, &amount)?;
    if per_cycle.minor < 1 {
        let path = [&amount[..], &["amount"]].concat();
        return Err(Rejection::invalid(&path, "must be more than zero"));
    }
    if !Billing::PAYMENTS.contains(&billing.total_payments) {
        let (least, most) = Billing::PAYMENTS.into_inner();
        let path = ["payment", "subscription", "totalPayments"];
        return Err(Rejection::invalid(&path, format!("must be between {least} and {most}")));
    }
    Ok(())
}

fn check_deposit(
    price: Money,
    options: PaymentOptions,
    down: DownPayment,
    currency: Currency,
) -> Result<(), Rejection> {
    if let Some(Deposit::Amount(deposit)) = down.deposit {
        let path = ["payment", "deposit", "amount"];
        of_site(deposit, currency, &path)?;
        if !(1..=price.minor).contains(&deposit.minor) {
            let path = [&path[..], &["amount"]].concat();
            return Err(Rejection::invalid(
                &path,
                "must be more than zero and at most the price",
            ));
        }
        if options.deposit && options.in_person && deposit.minor == price.minor {
            // Nothing is left that could be paid at the business.
            return Err(refuse(&["inPerson"], "can't be where the deposit is the whole price"));
        }
    }
    if !options.deposit {
        return Ok(());
    }
    if down.deposit.is_none() {
        return Err(refuse(
            &["deposit"],
            "needs `payment.deposit`, which says how much it is",
        ));
    }
    if !options.online {
        return Err(refuse(&["deposit"], "needs `online`: that is how a deposit is paid"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::FirstCharge, *};

    fn euro(minor: i64) -> Money {
        Money {
            minor,
            currency: Currency::parse("EUR").unwrap(),
        }
    }

    fn monthly(total_payments: i32) -> Billing {
        Billing {
            total_payments,
            first_charge: FirstCharge::Checkout,
            full_upfront: None,
        }
    }

    /// Every combination of price, ways to pay and deposit, judged by the matrix as the specification writes it.
    #[test]
    fn the_whole_matrix_of_payment_is_kept() {
        let prices = [
            Price::NoFee,
            Price::Fixed(euro(1000)),
            Price::Varied { default: euro(1000) },
            Price::Custom { description: None },
            Price::Subscription {
                per_cycle: euro(1000),
                billing: monthly(3),
            },
        ];
        let part = Deposit::Percentage(Percentage::parse("25").unwrap());
        let deposits = [
            None,
            Some(part),
            Some(Deposit::Amount(euro(400))),
            Some(Deposit::Amount(euro(1000))),
        ];
        let (mut allowed, mut refused) = (0, 0);
        for price in &prices {
            for bits in 0..32_u8 {
                let is = |bit: u8| bits & (1 << bit) != 0;
                let options = PaymentOptions {
                    online: is(0),
                    in_person: is(1),
                    deposit: is(2),
                    pricing_plan: is(3),
                };
                for deposit in deposits {
                    let down = DownPayment {
                        deposit,
                        full_upfront_allowed: is(4),
                    };
                    let whole = deposit == Some(Deposit::Amount(euro(1000)));
                    let no_down = deposit.is_none() && !down.full_upfront_allowed && !options.deposit;
                    let expected = match price {
                        Price::Fixed(_) | Price::Varied { .. } => {
                            (options.online || options.in_person || options.pricing_plan)
                                && (!options.deposit || (options.online && deposit.is_some()))
                                && !(whole && options.deposit && options.in_person)
                        }
                        Price::Custom { .. } => !options.online && options.in_person && no_down,
                        Price::NoFee => !options.online && options.in_person && !options.pricing_plan && no_down,
                        Price::Subscription { .. } => {
                            options.online && !options.in_person && !options.pricing_plan && no_down
                        }
                    };
                    let found = check_payment(price, options, down, euro(0).currency);
                    assert_eq!(found.is_ok(), expected, "{price:?} {options:?} {down:?}: {found:?}");
                    *(if expected { &mut allowed } else { &mut refused }) += 1;
                }
            }
        }
        assert_eq!((allowed, refused), (156, 484));
    }

    #[test]
    fn amounts_are_of_the_site_and_in_bounds() {
        let dollar = Money {
            minor: 100,
            currency: Currency::parse("USD").unwrap(),
        };
        let online = PaymentOptions {
            online: true,
            deposit: true,
            ..PaymentOptions::in_person_alone()
        };
        let down = |amount| DownPayment {
            deposit: Some(Deposit::Amount(amount)),
            full_upfront_allowed: true,
        };
        let none = DownPayment::default();
        let plain = PaymentOptions::in_person_alone();
        let custom = |length| Price::Custom {
            description: Some("x".repeat(length)),
        };
        let course = |per_cycle, payments| Price::Subscription {
            per_cycle,
            billing: monthly(payments),
        };
        for (price, options, down, path) in [
            (Price::Fixed(dollar), plain, none, "payment.price.currency"),
            (Price::Fixed(euro(0)), plain, none, "payment.price.amount"),
            (
                Price::Varied { default: dollar },
                plain,
                none,
                "payment.defaultPrice.currency",
            ),
            (
                Price::Fixed(euro(500)),
                online,
                down(dollar),
                "payment.deposit.amount.currency",
            ),
            (
                Price::Fixed(euro(500)),
                online,
                down(euro(0)),
                "payment.deposit.amount.amount",
            ),
            (
                Price::Fixed(euro(500)),
                online,
                down(euro(501)),
                "payment.deposit.amount.amount",
            ),
            (custom(0), plain, none, "payment.description"),
            (custom(51), plain, none, "payment.description"),
            (
                course(dollar, 3),
                plain,
                none,
                "payment.subscription.amountPerBillingCycle.currency",
            ),
            (
                course(euro(0), 3),
                plain,
                none,
                "payment.subscription.amountPerBillingCycle.amount",
            ),
            (course(euro(100), 1), plain, none, "payment.subscription.totalPayments"),
            (
                course(euro(100), 121),
                plain,
                none,
                "payment.subscription.totalPayments",
            ),
        ] {
            match check_payment(&price, options, down, euro(0).currency) {
                Err(Rejection::Invalid(invalid)) => assert_eq!(invalid.path.join("."), path),
                other => panic!("{price:?}: {other:?}"),
            }
        }
        assert!(check_payment(&custom(50), plain, none, euro(0).currency).is_ok());
        assert!(check_payment(&Price::Varied { default: euro(0) }, plain, none, euro(0).currency).is_ok());
    }

    #[test]
    fn a_percentage_has_two_digits_and_is_never_nothing() {
        for (text, shown) in [
            ("0.01", "0.01"),
            ("99.99", "99.99"),
            ("12.5", "12.50"),
            ("7", "7.00"),
            ("100", "100.00"),
        ] {
            assert_eq!(Percentage::parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "", "0", "0.00", "100.01", "1000", "99.999", "-1", "1.", ".5", "1e1", "+5",
        ] {
            assert_eq!(Percentage::parse(text), None, "{text}");
        }
    }
}
