//! How a booking's choices decide its price and length (§2.4).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Choice, ChoiceValue, OptionData, OptionsAndVariants, ServiceOption};
use crate::domain::{
    Rejection,
    booking::{Participants, ServiceChoices},
    catalog::Price,
    ids::ResourceId,
    money::{Currency, Money},
    rejection::{Field, Invalid},
};

/// How a service is priced, of what stands in its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tariff {
    /// Each participant pays the same, or nothing.
    Same(Money),
    /// By variant; what has none costs this.
    Varied(Money),
}

impl Tariff {
    /// The tariff of a service for who books on this day: one with a varied price goes by its variants, any other costs
    /// the same whatever is chosen; a subscription, all the months that are still to be charged. None if its price is
    /// in words.
    #[must_use]
    pub fn of(price: &Price, currency: Currency, on: Date) -> Option<Self> {
        match price {
            Price::NoFee => Some(Self::Same(Money { minor: 0, currency })),
            Price::Fixed(money) => Some(Self::Same(*money)),
            Price::Varied { default } => Some(Self::Varied(*default)),
            Price::Subscription { per_cycle, billing } => Some(Self::Same(Money {
                minor: per_cycle
                    .minor
                    .saturating_mul(i64::from(billing.remaining_payments(on))),
                ..*per_cycle
            })),
            Price::Custom { .. } => None,
        }
    }

    fn currency(self) -> Currency {
        match self {
            Self::Same(money) | Self::Varied(money) => money.currency,
        }
    }
}

/// What a variant costs that nobody named a price for.
#[must_use]
pub fn default_price(price: &Price, currency: Currency) -> Money {
    price.amount().unwrap_or(Money { minor: 0, currency })
}

/// What the place of a booking says about its choices.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visit<'a> {
    /// Its length in minutes; of an appointment.
    pub minutes: Option<i64>,
    /// Who and what serves it, as far as that is known.
    pub staff: &'a [ResourceId],
}

/// A group of participants with the same choices, and what each of them pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedGroup {
    /// How many.
    pub number_of_participants: i32,
    /// What they chose, and what the place chose for them.
    pub choices: Vec<Choice>,
    /// What each of them pays.
    pub price: Money,
}

/// What a booking costs: fixed when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedPrice {
    /// All together.
    pub total: Money,
    /// Group by group.
    pub groups: Vec<PricedGroup>,
}

fn refused(message: &str, path: &[&str]) -> Rejection {
    let mut invalid = Invalid::new(Field::Choices, message);
    invalid.path = path.iter().map(|segment| (*segment).to_owned()).collect();
    invalid.into()
}

fn at_choice(message: &str, group: usize, choice: usize) -> Rejection {
    let (group, choice) = (group.to_string(), choice.to_string());
    refused(message, &["participantsChoices", &group, "choices", &choice])
}

/// The length that was chosen, if one was: all come for as long.
pub fn chosen_minutes(participants: &Participants) -> Result<Option<i32>, Rejection> {
    let mut found = None;
    for (group, choices) in participants.choices.iter().flatten().enumerate() {
        for (index, choice) in choices.choices.iter().enumerate() {
            let ChoiceValue::Duration(minutes) = choice.value else {
                continue;
            };
            if found.is_some_and(|found| found != minutes) {
                return Err(at_choice(
                    "must be as long as for the others: all come together",
                    group,
                    index,
                ));
            }
            found = Some(minutes);
        }
    }
    Ok(found)
}

/// What a booking costs, with the choices of each group completed by what the place says.
pub fn quote(
    options: Option<&OptionsAndVariants>,
    tariff: Tariff,
    participants: &Participants,
    visit: &Visit<'_>,
) -> Result<BookedPrice, Rejection> {
    let all = [ServiceChoices {
        number_of_participants: participants.total,
        choices: Vec::new(),
    }];
    let groups = participants.choices.as_deref().unwrap_or(&all);
    let named = participants.choices.is_some();
    let price = |(index, group): (usize, &ServiceChoices)| {
        let resolved = resolve(options, group, visit, index, named)?;
        let of_variant = || options?.price_of(&resolved);
        let price = match tariff {
            Tariff::Same(money) => money,
            Tariff::Varied(default) => of_variant().unwrap_or(default),
        };
        Ok(PricedGroup {
            number_of_participants: group.number_of_participants,
            choices: resolved,
            price,
        })
    };
    let groups = groups
        .iter()
        .enumerate()
        .map(price)
        .collect::<Result<Vec<_>, Rejection>>()?;
    Ok(BookedPrice::new(groups, tariff.currency()))
}

/// The choice at a position as its option writes it, or why it can't be made beside the others.
pub(super) fn accepted(
    options: &[ServiceOption],
    choices: &[Choice],
    place: usize,
) -> Result<ChoiceValue, &'static str> {
    let found = choices.get(place).and_then(|choice| {
        let option = options.iter().find(|option| option.id == choice.option)?;
        Some((choice, option))
    });
    let Some((choice, option)) = found else {
        return Err("is of no option of the service");
    };
    if matches!(choice.value, ChoiceValue::StaffMember(_)) {
        return Err("is not to be given: who serves is chosen with the slot");
    }
    let own = option.own(&choice.value).ok_or("is not one of the option's choices")?;
    if choices.iter().take(place).any(|other| other.option == choice.option) {
        return Err("is of an option that was chosen before");
    }
    Ok(own)
}

/// The choices of a group: what it chose, what the place chose for it, in the order of the options. What nobody knows
/// yet, such as who will serve, is left out.
fn resolve(
    options: Option<&OptionsAndVariants>,
    group: &ServiceChoices,
    visit: &Visit<'_>,
    index: usize,
    named: bool,
) -> Result<Vec<Choice>, Rejection> {
    let of = options;
    let options = of.map_or(&[][..], |options| options.options.as_slice());
    for place in 0..group.choices.len() {
        let own = accepted(options, &group.choices, place).map_err(|message| at_choice(message, index, place))?;
        if let ChoiceValue::Duration(minutes) = own
            && visit.minutes != Some(i64::from(minutes))
        {
            return Err(at_choice("is not as long as the slot", index, place));
        }
    }
    let mut resolved = Vec::with_capacity(options.len());
    for option in options {
        let chosen = group.choices.iter().find(|choice| choice.option == option.id);
        let value = match chosen {
            Some(choice) => option.own(&choice.value),
            None => derived(of, option, visit),
        };
        match value {
            Some(value) => resolved.push(Choice {
                option: option.id.clone(),
                value,
            }),
            None if matches!(option.data, OptionData::Custom { .. }) => {
                let message = format!("must have a choice of the option `{}`", option.id);
                let group = index.to_string();
                let path = ["participantsChoices", group.as_str(), "choices"];
                let length = if named { 3 } else { 1 };
                return Err(refused(&message, path.get(..length).unwrap_or(&path)));
            }
            None => {}
        }
    }
    Ok(resolved)
}

/// What the place says of an option.
fn derived(of: Option<&OptionsAndVariants>, option: &ServiceOption, visit: &Visit<'_>) -> Option<ChoiceValue> {
    match &option.data {
        OptionData::Custom { .. } => None,
        OptionData::StaffMember => {
            let mut serving = visit.staff.iter().copied().map(ChoiceValue::StaffMember);
            serving.find(|who| {
                let mut variants = of.into_iter().flat_map(|of| &of.variants);
                variants.any(|variant| variant.choices.iter().any(|choice| choice.value == *who))
            })
        }
        OptionData::Duration { .. } => {
            let minutes = i32::try_from(visit.minutes?).ok()?;
            option.own(&ChoiceValue::Duration(minutes))
        }
    }
}

impl BookedPrice {
    fn new(groups: Vec<PricedGroup>, currency: Currency) -> Self {
        let of = |group: &PricedGroup| {
            group
                .price
                .minor
                .saturating_mul(i64::from(group.number_of_participants))
        };
        let minor = groups.iter().map(of).fold(0, i64::saturating_add);
        Self {
            total: Money { minor, currency },
            groups,
        }
    }

    /// The length that was chosen with it.
    #[must_use]
    pub fn minutes(&self) -> Option<i32> {
        let choices = self.groups.iter().flat_map(|group| &group.choices);
        choices.into_iter().find_map(|choice| match choice.value {
            ChoiceValue::Duration(minutes) => Some(minutes),
            _ => None,
        })
    }

    /// What it costs if other numbers come, each for what its choices cost when it was booked. None if somebody chose
    /// what nobody had.
    #[must_use]
    pub fn for_numbers(&self, participants: &Participants) -> Option<Self> {
        let renumbered = |group: &PricedGroup, number| PricedGroup {
            number_of_participants: number,
            ..group.clone()
        };
        let groups = match &participants.choices {
            None => match self.groups.as_slice() {
                [first, rest @ ..] if rest.iter().all(|group| group.is_like(first)) => {
                    vec![renumbered(first, participants.total)]
                }
                _ => return None,
            },
            Some(groups) => {
                let known = |wanted: &ServiceChoices| {
                    let had = self.groups.iter().find(|had| had.was_chosen(&wanted.choices))?;
                    Some(renumbered(had, wanted.number_of_participants))
                };
                groups.iter().map(known).collect::<Option<Vec<_>>>()?
            }
        };
        Some(Self::new(groups, self.total.currency))
    }
}

impl PricedGroup {
    /// Whether both chose and pay the same.
    fn is_like(&self, other: &Self) -> bool {
        self.choices == other.choices && self.price == other.price
    }

    /// Whether its choices are these, but for those that the place made.
    fn was_chosen(&self, choices: &[Choice]) -> bool {
        let has = |choice: &Choice| self.choices.iter().any(|own| own.is(choice));
        let mut texts = self
            .choices
            .iter()
            .filter(|own| matches!(own.value, ChoiceValue::Custom(_)));
        choices.iter().all(has) && texts.all(|own| choices.iter().any(|choice| choice.is(own)))
    }
}
