//! What options and variants have to be like (§2.1, §2.2).

use super::{
    Choice, ChoiceValue, DurationChoice, MAX_CUSTOM_CHOICES, MAX_DURATION_CHOICES, MAX_ID, MAX_OPTIONS, MAX_TEXT,
    MAX_VARIANTS, OptionData, OptionsAndVariants, ServiceOption, Variant, alike,
};
use crate::domain::{
    Rejection,
    catalog::{MAX_DURATION_MINUTES, ServiceKind},
    ids::ResourceId,
    money::Currency,
    rejection::{Field, Invalid, OptionsProblem as Problem},
    text,
};

/// What the options are for.
#[derive(Debug, Clone, Copy)]
pub struct Offering<'a> {
    /// The service's kind.
    pub kind: ServiceKind,
    /// Its staff.
    pub staff: &'a [ResourceId],
    /// The site's currency.
    pub currency: Currency,
}

fn problem(problem: Problem, message: impl Into<String>) -> Invalid {
    Invalid::new(Field::Options(problem), message)
}

fn plain(message: impl Into<String>) -> Invalid {
    Invalid::new(Field::Other, message)
}

fn count(length: usize, most: usize) -> Result<(), Invalid> {
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(plain(format!("must have 1 to {most} entries")))
}

/// Puts complaints about an entry of a list where it stands.
fn each<T>(list: &str, entries: Vec<T>, check: impl Fn(usize, &T) -> Result<(), Invalid>) -> Result<Vec<T>, Invalid> {
    for (index, entry) in entries.iter().enumerate() {
        check(index, entry).map_err(|invalid| invalid.at(index.to_string()).at(list))?;
    }
    Ok(entries)
}

fn name(text: &str) -> Result<(), Invalid> {
    text::required(text, MAX_TEXT).map(|_| ())
}

fn check_texts(choices: &[String]) -> Result<(), Invalid> {
    count(choices.len(), MAX_CUSTOM_CHOICES).map_err(|invalid| invalid.at("choices"))?;
    for (index, choice) in choices.iter().enumerate() {
        let at = |invalid: Invalid| invalid.at(index.to_string()).at("choices");
        name(choice).map_err(at)?;
        if choices.iter().take(index).any(|earlier| alike(earlier, choice)) {
            return Err(at(problem(Problem::IdenticalChoices, "is there twice")));
        }
    }
    Ok(())
}

fn check_lengths(choices: &[DurationChoice]) -> Result<(), Invalid> {
    count(choices.len(), MAX_DURATION_CHOICES).map_err(|invalid| invalid.at("choices"))?;
    for (index, choice) in choices.iter().enumerate() {
        let at = |field: &str, invalid: Invalid| invalid.at(field).at(index.to_string()).at("choices");
        name(&choice.name).map_err(|invalid| at("name", invalid))?;
        if !(1..=MAX_DURATION_MINUTES).contains(&choice.minutes) {
            let message = format!("must be between 1 and {MAX_DURATION_MINUTES}");
            return Err(at("minutes", plain(message)));
        }
        if choices
            .iter()
            .take(index)
            .any(|earlier| earlier.minutes == choice.minutes)
        {
            return Err(at("minutes", problem(Problem::IdenticalChoices, "is there twice")));
        }
    }
    Ok(())
}

impl ServiceOption {
    fn check(&self, earlier: &[Self], of: &Offering<'_>) -> Result<(), Invalid> {
        text::required(&self.id, MAX_ID).map_err(|invalid| invalid.at("optionId"))?;
        if earlier.iter().any(|other| other.id == self.id) {
            return Err(plain("is there twice").at("optionId"));
        }
        let again = |of_type: fn(&OptionData) -> bool| earlier.iter().any(|other| of_type(&other.data));
        let second = match &self.data {
            OptionData::Custom { .. } => false,
            OptionData::StaffMember => again(|data| matches!(data, OptionData::StaffMember)),
            OptionData::Duration { .. } => again(|data| matches!(data, OptionData::Duration { .. })),
        };
        if second {
            return Err(problem(Problem::UnsupportedOptionType, "can be there only once").at("type"));
        }
        let sessions = of.kind != ServiceKind::Appointment;
        match &self.data {
            OptionData::Custom { name: asked, choices } => name(asked)
                .map_err(|invalid| invalid.at("name"))
                .and_then(|()| check_texts(choices))
                .map_err(|invalid| invalid.at("customData")),
            OptionData::StaffMember | OptionData::Duration { .. } if sessions => {
                let message = "is for appointments: sessions have their own staff and length";
                Err(problem(Problem::UnsupportedOptionType, message).at("type"))
            }
            OptionData::StaffMember => Ok(()),
            OptionData::Duration { name: asked, choices } => name(asked)
                .map_err(|invalid| invalid.at("name"))
                .and_then(|()| check_lengths(choices))
                .map_err(|invalid| invalid.at("durationData")),
        }
    }

    /// The value as the option writes it.
    fn accept(&self, value: &ChoiceValue, staff: &[ResourceId]) -> Result<ChoiceValue, Invalid> {
        let field = match value {
            ChoiceValue::Custom(_) => "custom",
            ChoiceValue::StaffMember(_) => "staffMemberId",
            ChoiceValue::Duration(_) => "durationInMinutes",
        };
        match (&self.data, value) {
            (OptionData::StaffMember, ChoiceValue::StaffMember(id)) if !staff.contains(id) => {
                Err(problem(Problem::UnknownStaffIds, "is not one of the service's staff").at(field))
            }
            (OptionData::Custom { .. }, ChoiceValue::Custom(_))
            | (OptionData::StaffMember, ChoiceValue::StaffMember(_))
            | (OptionData::Duration { .. }, ChoiceValue::Duration(_)) => {
                let own = self.own(value);
                own.ok_or_else(|| plain("is not one of the option's choices").at(field))
            }
            _ => Err(problem(Problem::UnsupportedOptionData, "is not what this type of option takes").at(field)),
        }
    }
}

impl OptionsAndVariants {
    /// The same with every choice as its option writes it and in the options' order; refused if it breaks a rule.
    pub fn checked(mut self, of: &Offering<'_>) -> Result<Self, Rejection> {
        count(self.options.len(), MAX_OPTIONS).map_err(|invalid| invalid.at("options"))?;
        let options = std::mem::take(&mut self.options);
        let before = options.clone();
        self.options = each("options", options, |index, option| {
            option.check(before.get(..index).unwrap_or_default(), of)
        })?;
        count(self.variants.len(), MAX_VARIANTS).map_err(|invalid| invalid.at("variants"))?;
        let given = std::mem::take(&mut self.variants);
        for (index, variant) in given.into_iter().enumerate() {
            let variant = self.accept(variant, of);
            let variant = variant.map_err(|invalid| invalid.at(index.to_string()).at("variants"))?;
            self.variants.push(variant);
        }
        self.check_complete(of.staff)?;
        Ok(self)
    }

    /// A variant as it is kept, if it is one beside those that are there.
    fn accept(&self, variant: Variant, of: &Offering<'_>) -> Result<Variant, Invalid> {
        let mut choices: Vec<(usize, Choice)> = Vec::with_capacity(variant.choices.len());
        for (index, choice) in variant.choices.iter().enumerate() {
            let at = |invalid: Invalid| invalid.at(index.to_string()).at("choices");
            let place = self.options.iter().position(|option| option.id == choice.option);
            let Some((place, option)) = place.and_then(|place| Some((place, self.options.get(place)?))) else {
                return Err(at(
                    problem(Problem::UnknownOptionIds, "is none of the options").at("optionId")
                ));
            };
            if choices.iter().any(|(other, _)| *other == place) {
                return Err(at(problem(Problem::IdenticalChoices, "is there twice").at("optionId")));
            }
            let value = option.accept(&choice.value, of.staff).map_err(at)?;
            let option = choice.option.clone();
            choices.push((place, Choice { option, value }));
        }
        if choices.len() != self.options.len() {
            return Err(plain("must have one choice of each option").at("choices"));
        }
        let currency = self.variants.first().map_or(of.currency, |first| first.price.currency);
        if variant.price.currency != currency && !self.variants.is_empty() {
            let message = "must be the same for all variants";
            return Err(problem(Problem::MultipleCurrencies, message).at("currency").at("price"));
        }
        if variant.price.currency != of.currency {
            let message = format!("must be the site's, {}", of.currency.as_str());
            return Err(plain(message).at("currency").at("price"));
        }
        choices.sort_by_key(|(place, _)| *place);
        let choices: Vec<Choice> = choices.into_iter().map(|(_, choice)| choice).collect();
        if self.price_of(&choices).is_some() {
            return Err(problem(Problem::IdenticalChoices, "are those of another variant").at("choices"));
        }
        Ok(Variant { choices, ..variant })
    }

    /// Refuses if a combination has no variant. They are all different and each is a combination: it is enough to count.
    fn check_complete(&self, staff: &[ResourceId]) -> Result<(), Invalid> {
        let all = self.number_of_combinations(staff.len());
        if self.variants.len() == all {
            return Ok(());
        }
        let lacks = |option: &ServiceOption| {
            let values = option.values(staff);
            let each = all / values.len().max(1);
            values.into_iter().find(|value| {
                let has = |variant: &&Variant| {
                    let mut choices = variant.choices.iter();
                    choices.any(|choice| choice.option == option.id && choice.value.is(value))
                };
                self.variants.iter().filter(has).count() < each
            })
        };
        // The staff first: who was forgotten is what the owner wants to know.
        let by_staff = |option: &&ServiceOption| option.data != OptionData::StaffMember;
        let mut options: Vec<&ServiceOption> = self.options.iter().collect();
        options.sort_by_key(by_staff);
        let missing = options.into_iter().find_map(|option| Some((option, lacks(option)?)));
        let (code, what) = match missing {
            Some((_, ChoiceValue::StaffMember(id))) => (Problem::MissingStaffVariants, id.to_string()),
            Some((_, ChoiceValue::Custom(text))) => (Problem::MissingCustomChoices, text),
            Some((_, ChoiceValue::Duration(minutes))) => (Problem::MissingCustomChoices, format!("{minutes} minutes")),
            None => (Problem::MissingStaffVariants, "a staff member".to_owned()),
        };
        let message = format!("must have every combination of choices: some with `{what}` are missing");
        Err(problem(code, message).at("variants"))
    }
}
