//! Options of services, what their choices cost, and what a booking costs.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{money::Money, service::Service};
use crate::{
    domain::{
        ids::OptionsId,
        options::{self as domain, ChoiceValue, OptionData},
    },
    graphql::{
        caller,
        error::{coded, failure},
        scalars::DateTime,
        service,
    },
};

/// What is chosen by an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ServiceOptionType {
    /// One of some texts of the business's own. Customers choose with `participantsChoices`.
    Custom,
    /// How long an appointment takes: its choices are the lengths that the service has. The slot decides it.
    Duration,
    /// Who serves an appointment: one choice for each of the service's staff. The slot decides it.
    StaffMember,
}

/// Texts to choose from.
#[derive(SimpleObject, Clone, Debug)]
pub struct CustomServiceOptionData {
    /// The texts, different ones whatever their case.
    choices: Vec<String>,
    /// What is asked.
    name: String,
}

/// A length to choose.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServiceDurationChoice {
    /// Its minutes.
    minutes: i32,
    /// How it is called.
    name: String,
}

/// Lengths to choose from.
#[derive(SimpleObject, Clone, Debug)]
pub struct DurationServiceOptionData {
    /// The lengths, the usual one first.
    choices: Vec<ServiceDurationChoice>,
    /// What is asked.
    name: String,
}

/// Something to choose.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServiceOption {
    /// The texts, of a `CUSTOM` option.
    custom_data: Option<CustomServiceOptionData>,
    /// The lengths, of a `DURATION` option.
    duration_data: Option<DurationServiceOptionData>,
    /// The business's own id for it, unique among the options of its service.
    option_id: ID,
    /// What is chosen.
    #[graphql(name = "type")]
    option_type: ServiceOptionType,
}

impl From<&domain::ServiceOption> for ServiceOption {
    fn from(option: &domain::ServiceOption) -> Self {
        let mut shown = Self {
            custom_data: None,
            duration_data: None,
            option_id: option.id.as_str().into(),
            option_type: ServiceOptionType::StaffMember,
        };
        match &option.data {
            OptionData::StaffMember => {}
            OptionData::Custom { name, choices } => {
                shown.option_type = ServiceOptionType::Custom;
                shown.custom_data = Some(CustomServiceOptionData {
                    choices: choices.clone(),
                    name: name.clone(),
                });
            }
            OptionData::Duration { name, choices } => {
                let choice = |choice: &domain::DurationChoice| ServiceDurationChoice {
                    minutes: choice.minutes,
                    name: choice.name.clone(),
                };
                shown.option_type = ServiceOptionType::Duration;
                shown.duration_data = Some(DurationServiceOptionData {
                    choices: choices.iter().map(choice).collect(),
                    name: name.clone(),
                });
            }
        }
        shown
    }
}

/// A choice of an option. One of the values is there, that of the option's type.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServiceChoice {
    /// The text, of a `CUSTOM` option.
    custom: Option<String>,
    /// The length, of a `DURATION` option.
    duration_in_minutes: Option<i32>,
    /// The option.
    option_id: ID,
    /// The staff member's resource, of a `STAFF_MEMBER` option.
    staff_member_id: Option<ID>,
}

impl From<&domain::Choice> for ServiceChoice {
    fn from(choice: &domain::Choice) -> Self {
        let (mut custom, mut minutes, mut staff) = (None, None, None);
        match &choice.value {
            ChoiceValue::Custom(text) => custom = Some(text.clone()),
            ChoiceValue::Duration(length) => minutes = Some(*length),
            ChoiceValue::StaffMember(id) => staff = Some(id.to_string().into()),
        }
        Self {
            custom,
            duration_in_minutes: minutes,
            option_id: choice.option.as_str().into(),
            staff_member_id: staff,
        }
    }
}

/// Choices as they are shown.
pub(crate) fn shown(choices: &[domain::Choice]) -> Vec<ServiceChoice> {
    choices.iter().map(ServiceChoice::from).collect()
}

/// What one combination of choices costs.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServiceVariant {
    /// One choice of each option, in the order of the options.
    choices: Vec<ServiceChoice>,
    /// The price for each participant.
    price: Money,
}

/// The options of a service with what each combination of their choices costs.
#[derive(Clone, Debug)]
pub struct ServiceOptionsAndVariants(pub domain::OptionsAndVariants);

impl From<domain::OptionsAndVariants> for ServiceOptionsAndVariants {
    fn from(options: domain::OptionsAndVariants) -> Self {
        Self(options)
    }
}

impl ServiceOptionsAndVariants {
    /// The options with this id.
    pub(crate) async fn find(ctx: &Context<'_>, id: OptionsId) -> async_graphql::Result<Option<Self>> {
        let found = service(ctx).options(caller(ctx), id).await;
        Ok(found.map_err(|error| failure(ctx, error))?.map(Self))
    }
}

/// The options of a service with what each combination of their choices costs. A service has at most one of these.
#[Object]
impl ServiceOptionsAndVariants {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The highest price of a variant. Null without variants: nobody serves.
    async fn max_price(&self) -> Option<Money> {
        self.0.price_range().map(|(_, most)| most.into())
    }

    /// The lowest price of a variant. Null without variants: nobody serves.
    async fn min_price(&self) -> Option<Money> {
        self.0.price_range().map(|(least, _)| least.into())
    }

    /// What is chosen: 1 to 3 options.
    async fn options(&self) -> Vec<ServiceOption> {
        self.0.options.iter().map(ServiceOption::from).collect()
    }

    /// Grows by one with every change, also when the service's staff changes.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// Whose options these are.
    async fn service(&self, ctx: &Context<'_>) -> async_graphql::Result<Service> {
        let found = Box::pin(Service::find(ctx, self.0.service)).await?;
        found.ok_or_else(|| coded("the service is gone", "INTERNAL_ERROR"))
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }

    /// What each combination costs, every one of them: at most 500.
    async fn variants(&self) -> Vec<ServiceVariant> {
        let variant = |variant: &domain::Variant| ServiceVariant {
            choices: shown(&variant.choices),
            price: variant.price.into(),
        };
        self.0.variants.iter().map(variant).collect()
    }
}

/// A group of participants with the same choices, and what each of them pays.
#[derive(SimpleObject, Clone, Debug)]
pub struct PricedParticipants {
    /// What they chose, and what the slot decided for them: its length, and who serves, if that was known.
    choices: Vec<ServiceChoice>,
    /// How many they are.
    number_of_participants: i32,
    /// What each of them pays.
    price_per_participant: Money,
}

/// What a booking costs, before anything is paid. It was fixed when the booking was made: later changes of the service
/// don't touch it.
#[derive(SimpleObject, Clone, Debug)]
pub struct BookingPrice {
    /// Group by group.
    participants: Vec<PricedParticipants>,
    /// All together.
    total: Money,
}

impl From<&domain::BookedPrice> for BookingPrice {
    fn from(price: &domain::BookedPrice) -> Self {
        let group = |group: &domain::PricedGroup| PricedParticipants {
            choices: shown(&group.choices),
            number_of_participants: group.number_of_participants,
            price_per_participant: group.price.into(),
        };
        Self {
            participants: price.groups.iter().map(group).collect(),
            total: price.total.into(),
        }
    }
}
