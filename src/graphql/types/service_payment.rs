//! What a service costs and how it is paid for.

use async_graphql::{Enum, SimpleObject};

use super::money::Money;
use crate::{
    domain::catalog::{self, Billing, Price},
    graphql::scalars::{Decimal, LocalDate},
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
    /// So much a month, which is charged online. For courses alone.
    Subscription,
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

/// When the first month of a subscription is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SubscriptionFirstCharge {
    /// When it is booked.
    Checkout,
    /// On `recurringStartDate`.
    Scheduled,
}

/// How often a subscription is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SubscriptionFrequency {
    /// Every month.
    Monthly,
}

/// A subscription that is paid at once.
#[derive(SimpleObject, Clone, Debug)]
pub struct FullUpfrontPayment {
    /// So many percent are taken off for it, 0.01 to 100; null if none are.
    discount_percentage: Option<Decimal>,
}

/// A price that is paid month by month. A booking's price is that of all the months that are still to be charged when
/// it is made.
#[derive(SimpleObject, Clone, Debug)]
pub struct SubscriptionRate {
    /// What each participant pays a month.
    amount_per_billing_cycle: Money,
    /// When the first month is charged.
    first_charge: SubscriptionFirstCharge,
    /// How often it is charged.
    frequency: SubscriptionFrequency,
    /// What becomes of the price if the customer pays everything at once; null if that can't be.
    full_upfront_payment: Option<FullUpfrontPayment>,
    /// The day of the first charge, with `SCHEDULED`: who books later pays only the months that are left, and one at
    /// least.
    recurring_start_date: Option<LocalDate>,
    /// How many months are charged in all.
    total_payments: i32,
}

impl SubscriptionRate {
    fn new(per_cycle: crate::domain::money::Money, billing: Billing) -> Self {
        let (first_charge, start) = match billing.first_charge {
            catalog::FirstCharge::Checkout => (SubscriptionFirstCharge::Checkout, None),
            catalog::FirstCharge::Scheduled(day) => (SubscriptionFirstCharge::Scheduled, Some(day.into())),
        };
        Self {
            amount_per_billing_cycle: per_cycle.into(),
            first_charge,
            frequency: SubscriptionFrequency::Monthly,
            full_upfront_payment: billing.full_upfront.map(|upfront| FullUpfrontPayment {
                discount_percentage: upfront.discount.map(|part| Decimal(part.to_string())),
            }),
            recurring_start_date: start,
            total_payments: billing.total_payments,
        }
    }
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
    /// What is paid month by month, with `SUBSCRIPTION`.
    subscription: Option<SubscriptionRate>,
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
            subscription: None,
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
            Price::Subscription { per_cycle, billing } => {
                payment.rate_type = RateType::Subscription;
                payment.subscription = Some(SubscriptionRate::new(*per_cycle, *billing));
            }
        }
        payment
    }
}
