//! Amounts of money.

use async_graphql::{InputObject, SimpleObject};

use crate::{
    domain::{
        money::{self, Currency},
        rejection::{Field, Invalid},
    },
    graphql::scalars::{CurrencyCode, Decimal},
};

/// An amount of money.
#[derive(SimpleObject, Clone, Debug)]
pub struct Money {
    /// The exact amount, with as many digits behind the point as the currency has.
    amount: Decimal,
    /// The currency.
    currency: CurrencyCode,
}

impl From<money::Money> for Money {
    fn from(money: money::Money) -> Self {
        Self {
            amount: Decimal(money.amount()),
            currency: (&money.currency).into(),
        }
    }
}

/// An amount of money.
#[derive(InputObject, Clone, Debug)]
pub struct MoneyInput {
    /// The exact amount, with at most as many digits behind the point as the currency has.
    amount: Decimal,
    /// The currency. It must be the site's, so that it can be left out only by not giving a price at all.
    currency: CurrencyCode,
}

impl MoneyInput {
    /// The amount, if it is one of its currency.
    pub(crate) fn money(&self) -> Result<money::Money, Invalid> {
        let currency = self.currency.currency().map_err(|invalid| invalid.at("currency"))?;
        money::Money::parse(&self.amount.0, currency).ok_or_else(|| {
            let message = format!(
                "is not an amount of {} up to {}, such as `19{}`",
                currency.as_str(),
                money::Money::MAX_MAJOR,
                if currency.digits() == 0 { "" } else { ".90" }
            );
            Invalid::new(Field::Other, message).at("amount")
        })
    }
}

impl From<&Currency> for CurrencyCode {
    fn from(currency: &Currency) -> Self {
        Self(currency.as_str().to_owned())
    }
}

impl CurrencyCode {
    /// The currency, if the code is well-formed.
    pub(crate) fn currency(&self) -> Result<Currency, Invalid> {
        Currency::parse(&self.0)
            .ok_or_else(|| Invalid::new(Field::Other, "is not an ISO 4217 currency code, such as `EUR`"))
    }
}
