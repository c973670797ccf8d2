//! Who comes, and what they choose.

use async_graphql::{ID, InputObject};

use crate::{
    domain::{
        booking::{Participants, ServiceChoices},
        options::{Choice, ChoiceValue},
        rejection::{Field, Invalid},
    },
    graphql::input::Problems,
};

/// A choice of an option of the service: exactly one value, that of the option's type. Who serves is not chosen here but
/// with the slot.
#[derive(Debug, Clone, InputObject)]
pub struct ServiceChoiceInput {
    /// A text of a `CUSTOM` option, whatever its case.
    pub custom: Option<String>,
    /// A length of a `DURATION` option, the same for all groups. It may be left out, as the slot says it, too; without an
    /// `endDate` the slot ends by it.
    pub duration_in_minutes: Option<i32>,
    /// The option's `optionId`.
    pub option_id: ID,
}

impl ServiceChoiceInput {
    fn read(self) -> Result<Choice, Invalid> {
        let value = match (self.custom, self.duration_in_minutes) {
            (Some(text), None) => ChoiceValue::Custom(text),
            (None, Some(minutes)) => ChoiceValue::Duration(minutes),
            _ => {
                let message = "or `durationInMinutes` must be given, and not both";
                return Err(Invalid::new(Field::Choices, message).at("custom"));
            }
        };
        Ok(Choice {
            option: self.option_id.to_string(),
            value,
        })
    }
}

/// A group of participants with the same choices.
#[derive(Debug, Clone, InputObject)]
pub struct ParticipantsChoiceInput {
    /// What each of the group chose, at most 5: of every `CUSTOM` option of the service, and of no other.
    pub choices: Option<Vec<ServiceChoiceInput>>,
    /// How many they are, at least 1.
    pub number_of_participants: i32,
}

/// Choices of one group, at the most.
pub(crate) const MAX_CHOICES: usize = 5;
/// Choices of a question about several services, at the most.
pub(crate) const MAX_CHOICES_OF_ALL: usize = 100;
/// Groups that are read.
const MAX_GROUPS: usize = 20;

/// What one group or one question chooses, at most `most`.
pub(crate) fn choices(choices: Vec<ServiceChoiceInput>, most: usize) -> Result<Vec<Choice>, Invalid> {
    if choices.len() > most {
        let message = format!("must have at most {most} entries");
        return Err(Invalid::new(Field::Choices, message).at("choices"));
    }
    let read = |(index, choice): (usize, ServiceChoiceInput)| {
        choice
            .read()
            .map_err(|invalid| invalid.at(index.to_string()).at("choices"))
    };
    choices.into_iter().enumerate().map(read).collect()
}

/// Exactly one of the two must be given; `required` says whether none is fine, too.
fn participants(
    total: Option<i32>,
    groups: Option<Vec<ParticipantsChoiceInput>>,
    required: bool,
) -> Result<Option<Participants>, Invalid> {
    match (total, groups) {
        (Some(_), Some(_)) => {
            Err(Invalid::new(Field::Other, "or `participantsChoices` must be given, not both").at("totalParticipants"))
        }
        (None, None) if required => {
            Err(Invalid::new(Field::Other, "or `participantsChoices` must be given").at("totalParticipants"))
        }
        (None, None) => Ok(None),
        (Some(total), None) => Participants::total(total).map(Some),
        (None, Some(groups)) => {
            let group = |(index, group): (usize, ParticipantsChoiceInput)| {
                let at = |invalid: Invalid| invalid.at(index.to_string()).at("participantsChoices");
                Ok(ServiceChoices {
                    number_of_participants: group.number_of_participants,
                    choices: choices(group.choices.unwrap_or_default(), MAX_CHOICES).map_err(at)?,
                })
            };
            // No more than are taken: whoever sends too many is told so.
            let groups = groups.into_iter().take(MAX_GROUPS + 1).enumerate().map(group);
            Participants::groups(groups.collect::<Result<_, Invalid>>()?).map(Some)
        }
    }
}

/// Who comes, or a complaint about it.
pub(super) fn take_participants(
    problems: &mut Problems,
    total: Option<i32>,
    groups: Option<Vec<ParticipantsChoiceInput>>,
    required: bool,
) -> Option<Participants> {
    match participants(total, groups, required) {
        Ok(people) => people,
        Err(invalid) => {
            problems.add(invalid);
            None
        }
    }
}
