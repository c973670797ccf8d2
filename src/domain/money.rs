//! Amounts of money: integer minor units and a currency, never floats.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code such as `EUR`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits its minor unit has (ISO 4217).
    #[must_use]
    pub fn digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a currency code"))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount in minor units (cents), never negative, at most 10^15 of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The most that an amount may be, in whole units.
    pub const MAX_MAJOR: i64 = 1_000_000_000_000_000;

    /// Reads a decimal such as `19.90`; `None` if it isn't one, is negative, has too many digits behind
    /// the point for its currency or is over 10^15.
    #[must_use]
    pub fn parse(amount: &str, currency: Currency) -> Option<Self> {
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        let digits = usize::try_from(currency.digits()).ok()?;
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 16
            || fraction.len() > digits
            || !all_digits(whole)
            || !all_digits(fraction)
        {
            return None;
        }
        let major: i64 = whole.parse().ok()?;
        if major > Self::MAX_MAJOR {
            return None;
        }
        let padded = format!("{fraction:0<digits$}");
        let rest: i64 = if digits == 0 { 0 } else { padded.parse().ok()? };
        let minor = major.checked_mul(10_i64.pow(currency.digits()))?.checked_add(rest)?;
        Some(Self { minor, currency })
    }

    /// The amount as an exact decimal: `19.90`.
    #[must_use]
    pub fn amount(&self) -> String {
        let digits = self.currency.digits();
        if digits == 0 {
            return self.minor.to_string();
        }
        let unit = 10_i64.pow(digits);
        let width = usize::try_from(digits).unwrap_or(2);
        format!("{}.{:0width$}", self.minor / unit, self.minor % unit)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_amount_keeps_its_exact_digits() {
        let eur = Currency::parse("EUR").unwrap();
        let yen = Currency::parse("JPY").unwrap();
        let dinar = Currency::parse("KWD").unwrap();
        for (text, currency, back) in [
            ("19.9", eur, "19.90"),
            ("0", eur, "0.00"),
            ("1200", yen, "1200"),
            ("1.005", dinar, "1.005"),
        ] {
            assert_eq!(Money::parse(text, currency).unwrap().amount(), back);
        }
        for (text, currency) in [
            ("1.005", eur),
            ("-1", eur),
            ("1.0", yen),
            ("1e3", eur),
            ("", eur),
            ("10000000000000000", eur),
        ] {
            assert_eq!(Money::parse(text, currency), None, "{text}");
        }
    }
}
