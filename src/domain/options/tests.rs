#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use jiff::{Timestamp, civil::date};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    Rejection,
    booking::{Participants, ServiceChoices},
    catalog::{Price, ServiceKind},
    money::Currency,
    rejection::{Field, OptionsProblem},
};

fn euros(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("EUR").unwrap(),
    }
}

fn custom(id: &str, choices: usize) -> ServiceOption {
    ServiceOption {
        id: id.to_owned(),
        data: OptionData::Custom {
            name: id.to_owned(),
            choices: (0..choices).map(|index| format!("{id} {index}")).collect(),
        },
    }
}

fn lengths(id: &str, choices: i32) -> ServiceOption {
    let choice = |index: i32| DurationChoice {
        minutes: 30 * (index + 1),
        name: DurationChoice::usual_name(30 * (index + 1)),
    };
    ServiceOption {
        id: id.to_owned(),
        data: OptionData::Duration {
            name: id.to_owned(),
            choices: (0..choices).map(choice).collect(),
        },
    }
}

fn staff_option(id: &str) -> ServiceOption {
    ServiceOption {
        id: id.to_owned(),
        data: OptionData::StaffMember,
    }
}

/// The whole product, each at a price of its own.
fn whole(options: Vec<ServiceOption>, staff: &[ResourceId]) -> OptionsAndVariants {
    let mut object = OptionsAndVariants {
        id: OptionsId::new(),
        service: ServiceId::new(),
        options,
        variants: Vec::new(),
        revision: 1,
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
    };
    let priced = object.combinations(staff).into_iter().enumerate();
    object.variants = priced
        .map(|(index, choices)| Variant {
            choices,
            price: euros(i64::try_from(index).unwrap() * 100),
        })
        .collect();
    object
}

fn offering(staff: &[ResourceId]) -> Offering<'_> {
    Offering {
        kind: ServiceKind::Appointment,
        staff,
        currency: Currency::parse("EUR").unwrap(),
    }
}

fn problem(result: Result<OptionsAndVariants, Rejection>) -> (Option<OptionsProblem>, String) {
    match result.unwrap_err() {
        Rejection::Invalid(invalid) => match invalid.field {
            Field::Options(problem) => (Some(problem), invalid.path.join(".")),
            _ => (None, invalid.path.join(".")),
        },
        other => panic!("{other}"),
    }
}

fn staff(number: usize) -> Vec<ResourceId> {
    (0..number).map(|_| ResourceId::new()).collect()
}

prop_compose! {
    fn any_whole()(texts in 1_usize..4, more in 0_usize..3, minutes in 0_i32..4, number in 1_usize..4, by_staff: bool)
        -> (OptionsAndVariants, Vec<ResourceId>) {
        let staff = staff(number);
        let mut options = vec![custom("colour", texts)];
        if more > 0 { options.push(custom("size", more)); }
        if minutes > 0 { options.push(lengths("length", minutes)); }
        if by_staff && options.len() < MAX_OPTIONS { options.push(staff_option("who")); }
        (whole(options, &staff), staff)
    }
}

proptest! {
    /// Every combination once is accepted in any order; with one left out or twice it isn't.
    #[test]
    fn exactly_the_whole_product_is_accepted((mut object, staff) in any_whole(), turn: usize, out: usize) {
        let length = object.variants.len();
        prop_assert_eq!(length, object.number_of_combinations(staff.len()));
        object.variants.rotate_left(turn % length);
        for variant in &mut object.variants { variant.choices.reverse(); }
        let kept = object.clone().checked(&offering(&staff)).unwrap();
        for variant in &kept.variants {
            for (choice, option) in variant.choices.iter().zip(&kept.options) {
                prop_assert_eq!(&choice.option, &option.id);
            }
        }
        let mut twice = object.clone();
        twice.variants.push(object.variants[out % length].clone());
        prop_assert_eq!(problem(twice.checked(&offering(&staff))).0, Some(OptionsProblem::IdenticalChoices));
        object.variants.remove(out % length);
        prop_assert!(object.checked(&offering(&staff)).is_err());
    }

    /// The total is the sum over people one by one.
    #[test]
    fn groups_pay_as_their_members_would((object, staff) in any_whole(), picks in proptest::collection::vec((any::<usize>(), 1_i32..20), 1..6), who: usize) {
        let who = [staff[who % staff.len()]];
        let minutes = object.minutes().map(|minutes| minutes[0]);
        let visit = Visit { minutes: minutes.map(i64::from), staff: &who };
        let fits = |variant: &&Variant| variant.choices.iter().all(|choice| match choice.value {
            ChoiceValue::Custom(_) => true,
            ChoiceValue::StaffMember(id) => id == who[0],
            ChoiceValue::Duration(length) => Some(length) == minutes,
        });
        let possible: Vec<&Variant> = object.variants.iter().filter(fits).collect();
        let (mut expected, mut groups) = (0, Vec::new());
        for (pick, number) in picks {
            let variant = possible[pick % possible.len()];
            expected += variant.price.minor * i64::from(number);
            let chosen = variant.choices.iter().filter(|choice| matches!(choice.value, ChoiceValue::Custom(_)));
            let shout = |choice: &Choice| match &choice.value {
                ChoiceValue::Custom(text) => Choice { option: choice.option.clone(), value: ChoiceValue::Custom(text.to_uppercase()) },
                _ => choice.clone(),
            };
            groups.push(ServiceChoices { number_of_participants: number, choices: chosen.map(shout).collect() });
        }
        let people = Participants::groups(groups).unwrap();
        let price = quote(Some(&object), Tariff::Varied(euros(7)), &people, &visit).unwrap();
        prop_assert_eq!(price.total, euros(expected));
        for group in &price.groups {
            prop_assert_eq!(object.price_of(&group.choices), Some(group.price));
        }
        // The same numbers again cost the same, whatever the catalog says by then.
        let again = price.for_numbers(&people).unwrap();
        prop_assert_eq!(again.total, price.total);
        // Nothing else depends on the variants where the price doesn't.
        let fixed = quote(Some(&object), Tariff::Same(euros(7)), &people, &visit).unwrap();
        prop_assert_eq!(fixed.total, euros(7 * i64::from(people.total)));
    }

    /// Whoever comes gets every combination at the default price, whoever stays keeps the own, and it is whole again.
    #[test]
    fn variants_follow_the_staff(stay in 0_usize..3, leave in 0_usize..3, come in 0_usize..3, minutes in 1_i32..4) {
        let (stay, leave, come) = (staff(stay), staff(leave), staff(come));
        let before: Vec<ResourceId> = stay.iter().chain(&leave).copied().collect();
        let after: Vec<ResourceId> = come.iter().chain(&stay).copied().collect();
        let old = whole(vec![staff_option("who"), lengths("length", minutes)], &before);
        let mut new = old.clone();
        let changed = new.follow_staff(&after, euros(12_345));
        prop_assert_eq!(changed, !leave.is_empty() || !come.is_empty());
        prop_assert_eq!(new.variants.len(), new.number_of_combinations(after.len()));
        for variant in &new.variants {
            let price = old.price_of(&variant.choices).unwrap_or(euros(12_345));
            prop_assert_eq!(variant.price, price);
        }
        if !after.is_empty() {
            new.checked(&offering(&after)).unwrap();
        }
    }
}

#[test]
fn each_mistake_has_its_code_and_its_place() {
    use OptionsProblem::*;
    let people = staff(2);
    let good = || whole(vec![custom("colour", 2), staff_option("who")], &people);
    let check = |object: OptionsAndVariants| problem(object.checked(&offering(&people)));
    let with = |change: &dyn Fn(&mut OptionsAndVariants)| {
        let mut object = good();
        change(&mut object);
        check(object)
    };
    let value =
        |object: &mut OptionsAndVariants, choice: usize, value| object.variants[1].choices[choice].value = value;
    for (found, code, path) in [
        (
            with(&|o| o.variants[1].choices[0].option = "?".into()),
            Some(UnknownOptionIds),
            "variants.1.choices.0.optionId",
        ),
        (
            with(&|o| o.variants[1].price.currency = Currency::parse("USD").unwrap()),
            Some(MultipleCurrencies),
            "variants.1.price.currency",
        ),
        (
            with(&|o| o.variants[0].price.currency = Currency::parse("USD").unwrap()),
            None,
            "variants.0.price.currency",
        ),
        (
            with(&|o| value(o, 1, ChoiceValue::StaffMember(ResourceId::new()))),
            Some(UnknownStaffIds),
            "variants.1.choices.1.staffMemberId",
        ),
        (
            with(&|o| value(o, 0, ChoiceValue::Duration(30))),
            Some(UnsupportedOptionData),
            "variants.1.choices.0.durationInMinutes",
        ),
        (
            with(&|o| value(o, 0, ChoiceValue::Custom("?".into()))),
            None,
            "variants.1.choices.0.custom",
        ),
        (
            with(&|o| {
                o.variants[1].choices.pop();
            }),
            None,
            "variants.1.choices",
        ),
        (
            with(&|o| {
                let first = o.variants[0].choices.clone();
                o.variants[1].choices = first;
            }),
            Some(IdenticalChoices),
            "variants.1.choices",
        ),
        (
            with(&|o| o.options.push(staff_option("again"))),
            Some(UnsupportedOptionType),
            "options.2.type",
        ),
        (
            with(&|o| o.options = vec![custom("a", 1), custom("b", 1), custom("c", 1), custom("d", 1)]),
            None,
            "options",
        ),
        (
            with(&|o| {
                o.options[0].data = OptionData::Custom {
                    name: "colour".into(),
                    choices: vec!["red".into(), "RED".into()],
                }
            }),
            Some(IdenticalChoices),
            "options.0.customData.choices.1",
        ),
        (
            with(&|o| {
                o.variants.pop();
            }),
            Some(MissingStaffVariants),
            "variants",
        ),
        (with(&|o| o.options.push(lengths("who", 1))), None, "options.2.optionId"),
    ] {
        assert_eq!(found, (code, path.to_owned()));
    }
    let mut texts = whole(vec![custom("colour", 2), custom("size", 2)], &[]);
    texts.variants.pop();
    assert_eq!(check(texts), (Some(MissingCustomChoices), "variants".to_owned()));
    let class = Offering {
        kind: ServiceKind::Class,
        ..offering(&people)
    };
    assert_eq!(
        problem(good().checked(&class)),
        (Some(UnsupportedOptionType), "options.1.type".to_owned())
    );
}

#[test]
fn choices_that_are_not_offered_are_refused_where_they_stand() {
    let object = whole(vec![custom("colour", 2), lengths("length", 2)], &[]);
    let visit = Visit {
        minutes: Some(60),
        staff: &[],
    };
    let path = |choices: Vec<(&str, ChoiceValue)>| {
        let choices = choices.into_iter().map(|(option, value)| Choice {
            option: option.to_owned(),
            value,
        });
        let people = Participants::groups(vec![ServiceChoices {
            number_of_participants: 1,
            choices: choices.collect(),
        }]);
        match quote(Some(&object), Tariff::Varied(euros(1)), &people.unwrap(), &visit) {
            Ok(price) => Ok(price.total.minor),
            Err(Rejection::Invalid(invalid)) => Err(invalid.path.join(".")),
            Err(other) => panic!("{other}"),
        }
    };
    let red = || ("colour", ChoiceValue::Custom("COLOUR 1".into()));
    assert_eq!(path(vec![red()]), Ok(300), "the slot says how long");
    assert_eq!(path(vec![red(), ("length", ChoiceValue::Duration(60))]), Ok(300));
    let at = |place: &str| Err(format!("participantsChoices.0.choices{place}"));
    assert_eq!(path(vec![]), at(""));
    assert_eq!(path(vec![red(), ("length", ChoiceValue::Duration(30))]), at(".1"));
    assert_eq!(path(vec![red(), ("length", ChoiceValue::Duration(45))]), at(".1"));
    assert_eq!(path(vec![red(), red()]), at(".1"));
    assert_eq!(path(vec![("taste", ChoiceValue::Custom("sweet".into()))]), at(".0"));
    assert_eq!(path(vec![("colour", ChoiceValue::Custom("blue".into()))]), at(".0"));
    let total = Participants::total(2).unwrap();
    assert!(quote(Some(&object), Tariff::Varied(euros(1)), &total, &visit).is_err());
    let price = quote(
        None,
        Tariff::of(&Price::Fixed(euros(500)), euros(0).currency, date(2026, 1, 1)).unwrap(),
        &total,
        &visit,
    )
    .unwrap();
    assert_eq!(price.total, euros(1000));
    // Groups that pay the same come as one when only their number is told.
    let pair = |number| ServiceChoices {
        number_of_participants: number,
        choices: Vec::new(),
    };
    let groups = Participants::groups(vec![pair(1), pair(2)]).unwrap();
    let fixed = Tariff::Same(euros(500));
    let price = quote(None, fixed, &groups, &visit).unwrap();
    let five = Participants::total(5).unwrap();
    assert_eq!(price.for_numbers(&five).unwrap().total, euros(2500));
    let free = quote(
        None,
        Tariff::of(&Price::NoFee, euros(0).currency, date(2026, 1, 1)).unwrap(),
        &total,
        &visit,
    )
    .unwrap();
    assert_eq!(free.total, euros(0));
}
