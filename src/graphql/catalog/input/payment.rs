//! Inputs about what a service costs and how it is paid for.

use async_graphql::{InputObject, OneofObject};

use crate::{
    domain::{
        catalog::{self, DownPayment, Percentage, Price},
        money::Money,
        rejection::{Field, Invalid},
    },
    graphql::{
        input::{Problems, Rejections},
        scalars::Decimal,
        types::{money::MoneyInput, service_payment::RateType},
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
    /// Ways in which it can be paid for; in person alone if not said. With `FIXED` and `VARIED` at least one of online,
    /// in person and pricing plan; with `NO_FEE` in person alone; with `CUSTOM` in person, and perhaps by pricing plan.
    /// A deposit of the whole price leaves nothing to pay in person.
    options: Option<PaymentOptionsInput>,
    /// The price for each participant, more than zero, in the site's currency. With `FIXED`, and only then.
    price: Option<MoneyInput>,
    /// How it is priced.
    rate_type: RateType,
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
                .map(catalog::Deposit::Percentage)
                .ok_or_else(|| Invalid::new(Field::Other, "must be between 0.01 and 99.99").at("percentage")),
        }
    }
}

impl ServicePaymentInput {
    pub(super) fn parse(&self) -> Result<Payment, Rejections> {
        let mut problems = Problems::default();
        let options = self.options.as_ref();
        let options = options.map_or_else(catalog::PaymentOptions::in_person_alone, |options| {
            catalog::PaymentOptions {
                online: options.online,
                in_person: options.in_person,
                deposit: options.deposit,
                pricing_plan: options.pricing_plan,
            }
        });
        let rate = self.rate_type;
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
        let price = match rate {
            RateType::Fixed => price.map(Price::Fixed),
            RateType::Varied => default.map(|default| Price::Varied { default }),
            RateType::NoFee => Some(Price::NoFee),
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
