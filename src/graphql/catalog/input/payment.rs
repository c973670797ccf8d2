//! Inputs about what a service costs and how it is paid for.

use async_graphql::{InputObject, OneofObject};

use crate::{
    domain::{
        catalog::{self, Billing, DownPayment, FirstCharge, FullUpfrontPayment, Percentage, Price},
        money::Money,
        rejection::{Field, Invalid},
    },
    graphql::{
        input::{Problems, Rejections},
        scalars::{Decimal, LocalDate},
        types::{
            money::MoneyInput,
            service_payment::{RateType, SubscriptionFirstCharge},
        },
    },
};

/// Ways in which a service can be paid for.
#[derive(InputObject, Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each of them is a way to pay, and any may be open"
)]
pub struct PaymentOptionsInput {
    /// A deposit online, and the rest later: needs `online` and a `deposit`.
    #[graphql(default = false)]
    deposit: bool,
    /// At the business.
    in_person: bool,
    /// Online, at checkout.
    online: bool,
    /// With a pricing plan: for services that can be booked online and need no approval.
    #[graphql(default = false)]
    pricing_plan: bool,
}

/// What is paid when booking, where not everything is.
#[derive(OneofObject, Clone, Debug)]
pub enum DepositInput {
    /// So much for each participant: more than zero, at most the price, in the site's currency.
    Amount(MoneyInput),
    /// So many percent of the price, 0.01 to 99.99, with at most two digits behind the point.
    Percentage(Decimal),
}

/// A subscription that may be paid at once.
#[derive(InputObject, Clone, Debug)]
pub struct FullUpfrontPaymentInput {
    /// So many percent are taken off for it, 0.01 to 100, with at most two digits behind the point; none if not said.
    discount_percentage: Option<Decimal>,
}

/// A price that is paid month by month.
#[derive(InputObject, Clone, Debug)]
pub struct SubscriptionRateInput {
    /// What each participant pays a month: more than zero, in the site's currency.
    amount_per_billing_cycle: MoneyInput,
    /// When the first month is charged: when it is booked, if not said.
    #[graphql(default_with = "SubscriptionFirstCharge::Checkout")]
    first_charge: SubscriptionFirstCharge,
    /// Lets the customer pay everything at once; not possible if not said.
    full_upfront_payment: Option<FullUpfrontPaymentInput>,
    /// The day of the first charge on the site's clock. With `SCHEDULED`, and only then.
    recurring_start_date: Option<LocalDate>,
    /// How many months are charged in all: 2 to 120.
    total_payments: i32,
}

/// What a service costs and how it is paid for. It is replaced as a whole.
#[derive(InputObject, Clone, Debug)]
pub struct ServicePaymentInput {
    /// The price for each participant of what has none of its own, in the site's currency. With `VARIED`, and only then.
    default_price: Option<MoneyInput>,
    /// How much the deposit is. With `FIXED` and `VARIED`; it is asked for only with `options.deposit`.
    deposit: Option<DepositInput>,
    /// The price in words, such as "donation", at most 50 characters. With `CUSTOM`, and only then.
    description: Option<String>,
    /// Whether the customer may pay everything at once where a deposit would do. With `FIXED` and `VARIED`.
    #[graphql(default = false)]
    full_upfront_payment_allowed: bool,
    /// Ways in which it can be paid for; in person alone if not said, or online alone with `SUBSCRIPTION`, where that is
    /// the only way. With `FIXED` and `VARIED` at least one of online,
    /// in person and pricing plan; with `NO_FEE` in person alone; with `CUSTOM` in person, and perhaps by pricing plan.
    /// A deposit of the whole price leaves nothing to pay in person.
    options: Option<PaymentOptionsInput>,
    /// The price for each participant, more than zero, in the site's currency. With `FIXED`, and only then.
    price: Option<MoneyInput>,
    /// How it is priced.
    rate_type: RateType,
    /// What is paid month by month. With `SUBSCRIPTION`, and only then.
    subscription: Option<SubscriptionRateInput>,
}

/// What an input about payment says.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) price: Price,
    pub(super) options: catalog::PaymentOptions,
    pub(super) down: DownPayment,
}

impl DepositInput {
    fn deposit(&self) -> Result<catalog::Deposit, Invalid> {
        match self {
            Self::Amount(amount) => {
                let amount = amount.money().map_err(|invalid| invalid.at("amount"))?;
                Ok(catalog::Deposit::Amount(amount))
            }
            Self::Percentage(percentage) => Percentage::parse(&percentage.0)
                .filter(|part| *part != Percentage::WHOLE)
                .map(catalog::Deposit::Percentage)
                .ok_or_else(|| Invalid::new(Field::Other, "must be between 0.01 and 99.99").at("percentage")),
        }
    }
}

impl FullUpfrontPaymentInput {
    fn parse(&self) -> Result<FullUpfrontPayment, Invalid> {
        let discount = self.discount_percentage.as_ref().map(|percentage| {
            Percentage::parse(&percentage.0)
                .ok_or_else(|| Invalid::new(Field::Other, "must be between 0.01 and 100").at("discountPercentage"))
        });
        Ok(FullUpfrontPayment {
            discount: discount.transpose()?,
        })
    }
}

impl SubscriptionRateInput {
    fn parse(&self) -> Result<Price, Invalid> {
        let per_cycle = self.amount_per_billing_cycle.money();
        let start = self.recurring_start_date.as_ref().map(LocalDate::civil).transpose();
        let start = start.map_err(|invalid| invalid.at("recurringStartDate"))?;
        let dated = |message| Invalid::new(Field::Date, message).at("recurringStartDate");
        let first_charge = match (self.first_charge, start) {
            (SubscriptionFirstCharge::Checkout, None) => FirstCharge::Checkout,
            (SubscriptionFirstCharge::Scheduled, Some(day)) => FirstCharge::Scheduled(day),
            (SubscriptionFirstCharge::Checkout, Some(_)) => return Err(dated("is for `SCHEDULED` only")),
            (SubscriptionFirstCharge::Scheduled, None) => return Err(dated("is needed with `SCHEDULED`")),
        };
        let upfront = self.full_upfront_payment.as_ref().map(FullUpfrontPaymentInput::parse);
        let billing = Billing {
            total_payments: self.total_payments,
            first_charge,
            full_upfront: upfront
                .transpose()
                .map_err(|invalid| invalid.at("fullUpfrontPayment"))?,
        };
        Ok(Price::Subscription {
            per_cycle: per_cycle.map_err(|invalid| invalid.at("amountPerBillingCycle"))?,
            billing,
        })
    }
}

impl ServicePaymentInput {
    pub(super) fn parse(&self) -> Result<Payment, Rejections> {
        let mut problems = Problems::default();
        let options = self.options.as_ref();
        let rate = self.rate_type;
        let usual = || match rate {
            RateType::Subscription => catalog::PaymentOptions::online_alone(),
            _ => catalog::PaymentOptions::in_person_alone(),
        };
        let options = options.map_or_else(usual, |options| catalog::PaymentOptions {
            online: options.online,
            in_person: options.in_person,
            deposit: options.deposit,
            pricing_plan: options.pricing_plan,
        });
        let price = self.amount(&mut problems, "price", self.price.as_ref(), RateType::Fixed);
        let default = self.amount(
            &mut problems,
            "defaultPrice",
            self.default_price.as_ref(),
            RateType::Varied,
        );
        if self.description.is_some() && rate != RateType::Custom {
            problems.complain(&["description"], "is for `CUSTOM` only");
        }
        let subscription = match &self.subscription {
            Some(_) if rate != RateType::Subscription => {
                problems.complain(&["subscription"], "is for `SUBSCRIPTION` only");
                None
            }
            None if rate == RateType::Subscription => {
                problems.complain(&["subscription"], "is needed with `SUBSCRIPTION`");
                None
            }
            given => problems.option("subscription", given.as_ref().map(SubscriptionRateInput::parse)),
        };
        let price = match rate {
            RateType::Fixed => price.map(Price::Fixed),
            RateType::Varied => default.map(|default| Price::Varied { default }),
            RateType::NoFee => Some(Price::NoFee),
            RateType::Subscription => subscription,
            RateType::Custom => Some(Price::Custom {
                description: self.description.clone(),
            }),
        };
        let deposit = self.deposit.as_ref().map(DepositInput::deposit);
        let down = DownPayment {
            deposit: problems.option("deposit", deposit),
            full_upfront_allowed: self.full_upfront_payment_allowed,
        };
        problems.finish(price.map(|price| Payment { price, options, down }))
    }

    /// An amount that there is with one way of pricing, and only with that.
    fn amount(&self, problems: &mut Problems, name: &str, given: Option<&MoneyInput>, of: RateType) -> Option<Money> {
        let rate = match of {
            RateType::Varied => "VARIED",
            _ => "FIXED",
        };
        match given {
            Some(_) if self.rate_type != of => {
                problems.complain(&[name], &format!("is for `{rate}` only"));
                None
            }
            None if self.rate_type == of => {
                problems.complain(&[name], &format!("is needed with `{rate}`"));
                None
            }
            given => problems.option(name, given.map(MoneyInput::money)),
        }
    }
}
