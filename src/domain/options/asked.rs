//! Choices that somebody asks about before anything is booked: refused by the rules by which bookings refuse them, but
//! none has to be made yet.

use super::{Choice, ChoiceValue, OptionsAndVariants, price::accepted};
use crate::domain::{
    Rejection,
    rejection::{Field, Invalid},
};

fn refused(message: &str, index: usize) -> Rejection {
    Invalid::new(Field::Choices, message)
        .at(index.to_string())
        .at("choices")
        .into()
}

/// How long each of the services is to be by the choices, if they say so; none for one without options. A choice is made
/// of every service whose option it names. `minutes` is the length that is asked for without a choice: the two must agree.
pub fn asked_minutes(
    services: &[Option<&OptionsAndVariants>],
    choices: &[Choice],
    minutes: Option<i32>,
) -> Result<Vec<Option<i32>>, Rejection> {
    let concerns = |of: &OptionsAndVariants, choice: &Choice| of.option(&choice.option).is_some();
    for (index, choice) in choices.iter().enumerate() {
        if !services.iter().flatten().any(|of| concerns(of, choice)) {
            return Err(refused("is of no option of the service", index));
        }
    }
    let mut all = Vec::with_capacity(services.len());
    for of in services {
        let mut chosen = None;
        if let Some(of) = of {
            let own = choices.iter().enumerate().filter(|(_, choice)| concerns(of, choice));
            let (places, own): (Vec<usize>, Vec<Choice>) = own.map(|(index, choice)| (index, choice.clone())).unzip();
            for (place, index) in places.into_iter().enumerate() {
                let value = accepted(&of.options, &own, place).map_err(|message| refused(message, index))?;
                let ChoiceValue::Duration(length) = value else {
                    continue;
                };
                if minutes.is_some_and(|minutes| minutes != length) {
                    return Err(refused("is not as long as `durationInMinutes`", index));
                }
                chosen = Some(length);
            }
        }
        all.push(chosen);
    }
    Ok(all)
}
