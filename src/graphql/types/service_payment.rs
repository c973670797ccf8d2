//! What a service costs and how it is paid for.

use async_graphql::{Enum, SimpleObject};

use super::money::Money;
use crate::{
    domain::catalog::{self, Price},
    graphql::scalars::Decimal,
};

/// How a service is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RateType {
    /// What `description` says, such as "donation"; it is paid at the business.
    Custom,
    /// The same price for each participant.
    Fixed,
    /// It costs nothing.
    NoFee,
    /// It depends on what is chosen; what has no price of its own costs `defaultPrice`.
    Varied,
}

/// Ways in which a service can be paid for.
#[derive(SimpleObject, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is a way to pay, and any may be open"
)]
pub struct PaymentOptions {
    /// A deposit online, and the rest later.
    deposit: bool,
    /// At the business.
    in_person: bool,
    /// Online, at checkout.
    online: bool,
    /// With a pricing plan.
    pricing_plan: bool,
}

/// What is paid when booking, where not everything is: an amount or a part of the price.
#[derive(SimpleObject, Clone, Debug)]
pub struct Deposit {
    /// So much for each participant; null if it is a part of the price.
    amount: Option<Money>,
    /// So many percent of the price, 0.01 to 99.99; null if it is an amount.
    percentage: Option<Decimal>,
}

/// What a service costs and how it is paid for.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServicePayment {
    /// The price for each participant of what has none of its own, with `VARIED`.
    default_price: Option<Money>,
    /// How much the deposit is, with `FIXED` and `VARIED`. It is asked for only with `options.deposit`.
    deposit: Option<Deposit>,
    /// The price in words, with `CUSTOM`.
    description: Option<String>,
    /// Whether the customer may pay everything at once where a deposit would do.
    full_upfront_payment_allowed: bool,
    /// Ways in which it can be paid for.
    options: PaymentOptions,
    /// The price for each participant, with `FIXED`.
    price: Option<Money>,
    /// How it is priced.
    rate_type: RateType,
}

impl From<catalog::Deposit> for Deposit {
    fn from(deposit: catalog::Deposit) -> Self {
        let (amount, percentage) = match deposit {
            catalog::Deposit::Amount(money) => (Some(money.into()), None),
            catalog::Deposit::Percentage(percentage) => (None, Some(Decimal(percentage.to_string()))),
        };
        Self { amount, percentage }
    }
}

impl From<&catalog::Service> for ServicePayment {
    fn from(service: &catalog::Service) -> Self {
        let (options, down) = (service.payment_options, service.down_payment);
        let mut payment = Self {
            default_price: None,
            deposit: down.deposit.map(Into::into),
            description: None,
            full_upfront_payment_allowed: down.full_upfront_allowed,
            options: PaymentOptions {
                deposit: options.deposit,
                in_person: options.in_person,
                online: options.online,
                pricing_plan: options.pricing_plan,
            },
            price: None,
            rate_type: RateType::NoFee,
        };
        match &service.price {
            Price::NoFee => {}
            Price::Fixed(money) => {
                payment.rate_type = RateType::Fixed;
                payment.price = Some((*money).into());
            }
            Price::Varied { default } => {
                payment.rate_type = RateType::Varied;
                payment.default_price = Some((*default).into());
            }
            Price::Custom { description } => {
                payment.rate_type = RateType::Custom;
                payment.description.clone_from(description);
            }
        }
        payment
    }
}
