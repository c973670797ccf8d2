//! Options of a service and what their choices cost (`spec/catalog-availability.md` §2). A service has at most one such
//! object; its variants are the whole product of its options' choices, each with a price.

mod asked;
mod check;
mod price;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    catalog::MAX_DURATIONS,
    ids::{OptionsId, ResourceId, ServiceId},
    money::Money,
};

pub use asked::asked_minutes;
pub use check::Offering;
pub use price::{BookedPrice, PricedGroup, Tariff, Visit, chosen_minutes, default_price, quote};

/// Options of a service, at the most. The reference takes one.
pub const MAX_OPTIONS: usize = 3;
/// Variants of a service, at the most.
pub const MAX_VARIANTS: usize = 500;
/// Choices of a custom option, at the most.
pub const MAX_CUSTOM_CHOICES: usize = 100;
/// Choices of a duration option, at the most: as many lengths as a service can have.
pub const MAX_DURATION_CHOICES: usize = MAX_DURATIONS;
/// Characters of a name or of a choice, at the most.
pub const MAX_TEXT: usize = 255;
/// Characters of an option's id, at the most.
pub const MAX_ID: usize = 64;

/// A length to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationChoice {
    /// Its minutes.
    pub minutes: i32,
    /// How it is called.
    pub name: String,
}

impl DurationChoice {
    /// What a length is called that has no name of its own: `45 min`, `1 h 30 min`.
    #[must_use]
    pub fn usual_name(minutes: i32) -> String {
        match (minutes / 60, minutes % 60) {
            (0, minutes) => format!("{minutes} min"),
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        }
    }
}

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OptionData {
    /// One of some texts.
    Custom {
        /// What is asked.
        name: String,
        /// The answers, different ones whatever their case.
        choices: Vec<String>,
    },
    /// Who serves: the service's staff.
    StaffMember,
    /// How long it takes.
    Duration {
        /// What is asked.
        name: String,
        /// The lengths, different ones.
        choices: Vec<DurationChoice>,
    },
}

/// An option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOption {
    /// The owner's own id for it, unique in its object.
    pub id: String,
    /// What can be chosen.
    pub data: OptionData,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChoiceValue {
    /// A text of the option.
    Custom(String),
    /// Who serves.
    StaffMember(ResourceId),
    /// So many minutes.
    Duration(i32),
}

impl ChoiceValue {
    /// Whether both mean the same: texts whatever their case.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Custom(one), Self::Custom(two)) => alike(one, two),
            _ => self == other,
        }
    }
}

fn alike(one: &str, two: &str) -> bool {
    one.to_lowercase() == two.to_lowercase()
}

/// A choice of an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The option.
    pub option: String,
    /// What of it.
    pub value: ChoiceValue,
}

impl Choice {
    fn is(&self, other: &Self) -> bool {
        self.option == other.option && self.value.is(&other.value)
    }
}

/// What one combination of choices costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// One choice of each option, in the order of the options.
    pub choices: Vec<Choice>,
    /// For each participant.
    pub price: Money,
}

impl Variant {
    fn is_for(&self, choices: &[Choice]) -> bool {
        self.choices.len() == choices.len() && self.choices.iter().zip(choices).all(|(own, other)| own.is(other))
    }
}

/// The options of a service with what they cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionsAndVariants {
    /// Its id.
    pub id: OptionsId,
    /// Whose options.
    pub service: ServiceId,
    /// The options, 1 to 3.
    pub options: Vec<ServiceOption>,
    /// What each combination costs.
    pub variants: Vec<Variant>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

impl ServiceOption {
    /// All that can be chosen, where `staff` are those who serve.
    fn values(&self, staff: &[ResourceId]) -> Vec<ChoiceValue> {
        match &self.data {
            OptionData::Custom { choices, .. } => choices.iter().cloned().map(ChoiceValue::Custom).collect(),
            OptionData::StaffMember => staff.iter().copied().map(ChoiceValue::StaffMember).collect(),
            OptionData::Duration { choices, .. } => choices
                .iter()
                .map(|choice| ChoiceValue::Duration(choice.minutes))
                .collect(),
        }
    }

    /// The value as the option itself writes it, if it is one of its own. Whose staff they are isn't asked.
    fn own(&self, value: &ChoiceValue) -> Option<ChoiceValue> {
        match (&self.data, value) {
            (OptionData::StaffMember, ChoiceValue::StaffMember(_)) => Some(value.clone()),
            _ => self.values(&[]).into_iter().find(|own| own.is(value)),
        }
    }
}

impl OptionsAndVariants {
    /// The option with this id.
    #[must_use]
    pub fn option(&self, id: &str) -> Option<&ServiceOption> {
        self.options.iter().find(|option| option.id == id)
    }

    /// The lengths to choose from, if length is an option.
    #[must_use]
    pub fn minutes(&self) -> Option<Vec<i32>> {
        self.options.iter().find_map(|option| match &option.data {
            OptionData::Duration { choices, .. } => Some(choices.iter().map(|choice| choice.minutes).collect()),
            _ => None,
        })
    }

    /// Whether it depends on who serves.
    #[must_use]
    pub fn has_staff(&self) -> bool {
        self.options.iter().any(|option| option.data == OptionData::StaffMember)
    }

    /// The lowest and the highest price.
    #[must_use]
    pub fn price_range(&self) -> Option<(Money, Money)> {
        let by_amount = |variant: &&Variant| variant.price.minor;
        let least = self.variants.iter().min_by_key(by_amount)?;
        let most = self.variants.iter().max_by_key(by_amount)?;
        Some((least.price, most.price))
    }

    /// The price of a combination of choices, one of each option in their order.
    fn price_of(&self, choices: &[Choice]) -> Option<Money> {
        let variant = self.variants.iter().find(|variant| variant.is_for(choices));
        variant.map(|variant| variant.price)
    }

    /// Every combination of choices, where `staff` are those who serve; the first option's choices change last.
    fn combinations(&self, staff: &[ResourceId]) -> Vec<Vec<Choice>> {
        let mut all = vec![Vec::new()];
        for option in &self.options {
            let values = option.values(staff);
            let longer = |so_far: &Vec<Choice>| {
                let with = |value: &ChoiceValue| {
                    let choice = Choice {
                        option: option.id.clone(),
                        value: value.clone(),
                    };
                    so_far.iter().cloned().chain([choice]).collect()
                };
                values.iter().map(with).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all
    }

    /// Takes the variants of somebody away who serves nobody any more. Says whether there were any.
    pub fn forget_staff(&mut self, who: ResourceId) -> bool {
        let before = self.variants.len();
        let gone = ChoiceValue::StaffMember(who);
        self.variants
            .retain(|variant| variant.choices.iter().all(|choice| choice.value != gone));
        self.variants.len() < before
    }

    /// How many combinations there are, where `staff` serve.
    #[must_use]
    pub fn number_of_combinations(&self, staff: usize) -> usize {
        let choices = |option: &ServiceOption| match &option.data {
            OptionData::Custom { choices, .. } => choices.len(),
            OptionData::StaffMember => staff,
            OptionData::Duration { choices, .. } => choices.len(),
        };
        self.options.iter().map(choices).fold(1, usize::saturating_mul)
    }

    /// Follows a change of the service's staff: who is new gets variants at the `default` price, who has left loses
    /// theirs. Says whether anything changed.
    pub fn follow_staff(&mut self, staff: &[ResourceId], default: Money) -> bool {
        if !self.has_staff() {
            return false;
        }
        let priced = self.combinations(staff).into_iter().map(|choices| Variant {
            price: self.price_of(&choices).unwrap_or(default),
            choices,
        });
        let mut variants: Vec<Variant> = priced.collect();
        // In the order in which the owner gave them, new ones behind.
        variants.sort_by_key(|variant| {
            let place = self.variants.iter().position(|known| known.is_for(&variant.choices));
            place.unwrap_or(usize::MAX)
        });
        let changed = variants != self.variants;
        self.variants = variants;
        changed
    }
}
