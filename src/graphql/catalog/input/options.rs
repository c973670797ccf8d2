//! Inputs about options and variants.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{edit, given, key};
use crate::{
    domain::{
        ids::{OptionsId, ServiceId},
        options::{Choice, ChoiceValue, DurationChoice, OptionData, ServiceOption, Variant},
        rejection::{Field, Invalid, OptionsProblem},
    },
    graphql::{
        input::{Problems, Rejections, id},
        types::{money::MoneyInput, service_options::ServiceOptionType},
    },
    service::{
        IdempotencyKey,
        catalog::{CreateOptions, Edit, UpdateOptions},
    },
};

/// Texts to choose from.
#[derive(InputObject, Clone, Debug)]
pub struct CustomServiceOptionDataInput {
    /// The texts: 1 to 100 of 1 to 255 characters, different ones whatever their case.
    choices: Vec<String>,
    /// What is asked, 1 to 255 characters.
    name: String,
}

/// A length to choose.
#[derive(InputObject, Clone, Debug)]
pub struct ServiceDurationChoiceInput {
    /// Its minutes, 1 to 44639.
    minutes: i32,
    /// How it is called, 1 to 255 characters; such as `1 h 30 min` if not said.
    name: Option<String>,
}

/// Lengths to choose from. They become the service's `durations`.
#[derive(InputObject, Clone, Debug)]
pub struct DurationServiceOptionDataInput {
    /// The lengths, the usual one first: 1 to 50 different ones.
    choices: Vec<ServiceDurationChoiceInput>,
    /// What is asked, 1 to 255 characters.
    name: String,
}

/// Something to choose. `CUSTOM` for all services, `DURATION` and `STAFF_MEMBER` for appointments, each at most once.
#[derive(InputObject, Clone, Debug)]
pub struct ServiceOptionInput {
    /// The texts, with `CUSTOM`.
    custom_data: Option<CustomServiceOptionDataInput>,
    /// The lengths, with `DURATION`.
    duration_data: Option<DurationServiceOptionDataInput>,
    /// An id of your own, 1 to 64 characters, such as a UUID: choices name the option by it.
    option_id: ID,
    /// What is chosen.
    #[graphql(name = "type")]
    option_type: ServiceOptionType,
}

impl ServiceOptionInput {
    fn read(&self) -> Result<ServiceOption, Invalid> {
        let unsupported = |path: &str, message: &str| {
            let field = Field::Options(OptionsProblem::UnsupportedOptionData);
            Invalid::new(field, message).at(path)
        };
        let data = match (self.option_type, &self.custom_data, &self.duration_data) {
            (ServiceOptionType::Custom, Some(data), None) => OptionData::Custom {
                name: data.name.clone(),
                choices: data.choices.clone(),
            },
            (ServiceOptionType::Duration, None, Some(data)) => {
                let choice = |choice: &ServiceDurationChoiceInput| DurationChoice {
                    minutes: choice.minutes,
                    name: choice
                        .name
                        .clone()
                        .unwrap_or_else(|| DurationChoice::usual_name(choice.minutes)),
                };
                OptionData::Duration {
                    name: data.name.clone(),
                    choices: data.choices.iter().map(choice).collect(),
                }
            }
            (ServiceOptionType::StaffMember, None, None) => OptionData::StaffMember,
            (ServiceOptionType::Custom, None, _) => return Err(unsupported("customData", "is needed with `CUSTOM`")),
            (ServiceOptionType::Duration, _, None) => {
                return Err(unsupported("durationData", "is needed with `DURATION`"));
            }
            (ServiceOptionType::Custom | ServiceOptionType::StaffMember, _, Some(_)) => {
                return Err(unsupported("durationData", "is for `DURATION` only"));
            }
            (ServiceOptionType::Duration | ServiceOptionType::StaffMember, Some(_), _) => {
                return Err(unsupported("customData", "is for `CUSTOM` only"));
            }
        };
        Ok(ServiceOption {
            id: self.option_id.to_string(),
            data,
        })
    }
}

/// A choice of an option: exactly one value, that of the option's type.
#[derive(InputObject, Clone, Debug)]
pub struct ServiceVariantChoiceInput {
    /// A text of a `CUSTOM` option.
    custom: Option<String>,
    /// A length of a `DURATION` option.
    duration_in_minutes: Option<i32>,
    /// The option's `optionId`.
    option_id: ID,
    /// The resource of one of the service's staff, of a `STAFF_MEMBER` option.
    staff_member_id: Option<ID>,
}

impl ServiceVariantChoiceInput {
    fn read(&self) -> Result<Choice, Invalid> {
        let value = match (&self.custom, self.duration_in_minutes, &self.staff_member_id) {
            (Some(text), None, None) => ChoiceValue::Custom(text.clone()),
            (None, Some(minutes), None) => ChoiceValue::Duration(minutes),
            (None, None, Some(staff)) => {
                ChoiceValue::StaffMember(id(staff).map_err(|invalid| invalid.at("staffMemberId"))?)
            }
            _ => {
                let message = "must be given, or `durationInMinutes` or `staffMemberId`: exactly one of them";
                return Err(Invalid::new(Field::Other, message).at("custom"));
            }
        };
        Ok(Choice {
            option: self.option_id.to_string(),
            value,
        })
    }
}

/// What one combination of choices costs.
#[derive(InputObject, Clone, Debug)]
pub struct ServiceVariantInput {
    /// One choice of each option, in any order.
    choices: Vec<ServiceVariantChoiceInput>,
    /// The price for each participant, at least zero, in the site's currency.
    price: MoneyInput,
}

impl ServiceVariantInput {
    fn read(&self) -> Result<Variant, Invalid> {
        Ok(Variant {
            choices: all("choices", &self.choices, ServiceVariantChoiceInput::read)?,
            price: self.price.money().map_err(|invalid| invalid.at("price"))?,
        })
    }
}

/// All entries of a list; the first that can't be understood is told with its place.
fn all<I, T>(list: &str, entries: &[I], read: impl Fn(&I) -> Result<T, Invalid>) -> Result<Vec<T>, Invalid> {
    let at = |(index, entry): (usize, &I)| read(entry).map_err(|invalid| invalid.at(index.to_string()).at(list));
    entries.iter().enumerate().map(at).collect()
}

fn take<T>(problems: &mut Problems, read: Result<T, Invalid>) -> Option<T> {
    read.map_err(|invalid| problems.add(invalid)).ok()
}

/// Options for a service that has none, with what each combination of their choices costs.
#[derive(InputObject, Clone, Debug)]
pub struct CreateServiceOptionsAndVariantsInput {
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// What is chosen: 1 to 3 options.
    options: Vec<ServiceOptionInput>,
    /// The service.
    service_id: ID,
    /// What each combination costs: every combination of choices, one of each option, exactly once; at most 500.
    variants: Vec<ServiceVariantInput>,
}

impl CreateServiceOptionsAndVariantsInput {
    pub(crate) fn parse(&self) -> Result<(CreateOptions, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let service: Option<ServiceId> = problems.take("serviceId", id(&self.service_id));
        let options = take(&mut problems, all("options", &self.options, ServiceOptionInput::read));
        let variants = take(
            &mut problems,
            all("variants", &self.variants, ServiceVariantInput::read),
        );
        let input = (|| {
            Some(CreateOptions {
                service: service?,
                options: options?,
                variants: variants?,
            })
        })();
        problems.finish(input.map(|input| (input, key)))
    }
}

/// What changes of options and variants. Each list is replaced as a whole; what is left out stays. Together they must
/// fit afterwards. What is booked costs what it cost.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateServiceOptionsAndVariantsInput {
    /// Refuse with `REVISION_MISMATCH` unless it has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// All options, 1 to 3.
    options: MaybeUndefined<Vec<ServiceOptionInput>>,
    /// Which.
    service_options_and_variants_id: ID,
    /// All variants: every combination of choices exactly once; at most 500.
    variants: MaybeUndefined<Vec<ServiceVariantInput>>,
}

impl UpdateServiceOptionsAndVariantsInput {
    pub(crate) fn parse(&self) -> Result<UpdateOptions, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let (id, revision) = (&self.service_options_and_variants_id, self.expected_revision);
        let edit = edit(&mut problems, "serviceOptionsAndVariantsId", id, revision, key);
        let options = given(&mut problems, "options", &self.options);
        let options = options.map(|options| all("options", &options, ServiceOptionInput::read));
        let variants = given(&mut problems, "variants", &self.variants);
        let variants = variants.map(|variants| all("variants", &variants, ServiceVariantInput::read));
        let options = options.and_then(|read| take(&mut problems, read));
        let variants = variants.and_then(|read| take(&mut problems, read));
        problems.finish(edit.map(|edit| UpdateOptions {
            edit,
            options,
            variants,
        }))
    }
}

/// Options that are to be taken from their service, which then has its one price again. It keeps the lengths of a
/// `DURATION` option.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteServiceOptionsAndVariantsInput {
    /// Refuse with `REVISION_MISMATCH` unless it has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Which.
    service_options_and_variants_id: ID,
}

impl DeleteServiceOptionsAndVariantsInput {
    pub(crate) fn parse(&self) -> Result<Edit<OptionsId>, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let (id, revision) = (&self.service_options_and_variants_id, self.expected_revision);
        let edit = edit(&mut problems, "serviceOptionsAndVariantsId", id, revision, key);
        problems.finish(edit)
    }
}

/// Which options another service is to have, too.
#[derive(InputObject, Clone, Debug)]
pub struct CloneServiceOptionsAndVariantsInput {
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Which.
    service_options_and_variants_id: ID,
    /// The other service, which has none yet. With a `STAFF_MEMBER` option its own staff get the variants: at the same
    /// price who serves both services, at the service's own price who doesn't.
    target_service_id: ID,
}

impl CloneServiceOptionsAndVariantsInput {
    pub(crate) fn parse(&self) -> Result<(OptionsId, ServiceId, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let of = problems.take("serviceOptionsAndVariantsId", id(&self.service_options_and_variants_id));
        let target = problems.take("targetServiceId", id(&self.target_service_id));
        problems.finish(of.zip(target).map(|(of, target)| (of, target, key)))
    }
}
