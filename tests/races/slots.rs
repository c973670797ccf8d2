//! For one place, exactly as many winners as there is room.

use frontdesk::domain::{booking::BookingStatus, conflict::Target};
use jiff::ToSpan as _;
use rand::RngExt as _;

use crate::{
    invariants, on_both_engines,
    stage::{
        self, CLIENTS, Hand, Said, Stage, appointment, at_once, confirmed, held, new, no_room, place, rng, rounds, seat,
    },
};

/// One of the acts that claim.
#[derive(Clone, Copy)]
enum Way {
    Hold,
    Owner,
    Decide,
}

fn way(number: u32) -> Way {
    match number % 3 {
        0 => Way::Hold,
        1 => Way::Owner,
        _ => Way::Decide,
    }
}

/// Claims in one of the ways. `Decide` needs a booking that was made before.
async fn claim(
    stage_hand: (Hand, Hand),
    way: Way,
    wanted: stage::Wish,
    seats: i32,
    made: Option<frontdesk::domain::ids::BookingId>,
) -> Said {
    let (owner, member) = stage_hand;
    match (way, made) {
        (Way::Hold, _) => member.create(held(wanted, seats, 600)).await,
        (Way::Owner, _) | (Way::Decide, None) => owner.create(confirmed(wanted, seats)).await,
        (Way::Decide, Some(booking)) => owner.decide(booking).await,
    }
}

fn won(said: &Said) -> bool {
    match said {
        Ok(booking) => booking.status != BookingStatus::Declined,
        refused => {
            assert!(no_room(refused), "{refused:?}");
            false
        }
    }
}

/// A race of all clients, in mixed ways, for what `wish` names. Gives back the seats asked for with what was said.
async fn race(
    stage: &Stage,
    name: &str,
    round: u32,
    most: i32,
    wish: impl Fn(usize) -> stage::Wish,
) -> Vec<(i32, Said)> {
    let mut rng = rng(name, round);
    let mut acts = Vec::new();
    for client in 0..CLIENTS {
        let (way, seats, wanted) = (way(rng.random()), rng.random_range(1..=most), wish(client));
        let made = match way {
            Way::Decide => Some(
                stage
                    .member(client)
                    .create(new(wanted.clone(), seats))
                    .await
                    .expect("there is room")
                    .id,
            ),
            _ => None,
        };
        acts.push((
            way,
            wanted,
            seats,
            made,
            (stage.owner(), stage.member(client + CLIENTS * round as usize)),
        ));
    }
    at_once(
        acts.into_iter().map(|(way, wanted, seats, made, hands)| async move {
            (seats, claim(hands, way, wanted, seats, made).await)
        }),
    )
    .await
}

on_both_engines! {
    async fn one_time_of_one_resource_has_one_winner(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let start = stage.at(i64::from(round) * 60);
            let wish = |_| appointment(&stage.studio.massage, start, &[&stage.studio.anna]);
            let all = race(&stage, "one", round, 1, wish).await;
            assert_eq!(all.iter().filter(|(_, said)| won(said)).count(), 1, "round {round}");
            stage.check_round(round).await;
        }
        stage.report("one slot");
    }

    async fn a_time_that_two_can_serve_has_two_winners(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let start = stage.at(i64::from(round) * 60);
            let wish = |_| appointment(&stage.studio.massage, start, &[]);
            let all = race(&stage, "two", round, 1, wish).await;
            assert_eq!(all.iter().filter(|(_, said)| won(said)).count(), 2, "round {round}");
            stage.check_round(round).await;
        }
        stage.report("two resources");
    }

    /// A workshop needs somebody and the room; massages need only somebody.
    async fn a_room_that_all_need_has_one_winner(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let start = stage.at(i64::from(round) * 60);
            let wish = |client: usize| {
                let someone = if client.is_multiple_of(2) { &stage.studio.anna } else { &stage.studio.ben };
                appointment(&stage.studio.workshop, start, &[someone])
            };
            let all = race(&stage, "room", round, 1, wish).await;
            assert_eq!(all.iter().filter(|(_, said)| won(said)).count(), 1, "round {round}");
            stage.check_round(round).await;
        }
        stage.report("one room");
    }

    /// Different services of one resource, at times that overlap in part: nobody loses to nothing.
    async fn who_loses_at_an_overlapping_time_has_a_winner_in_the_way(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let base = i64::from(round) * 6 * 60;
            let mut rng = rng("overlap", round);
            let wishes: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    let (start, training) = (stage.at(base + rng.random_range(0..8) * 30), rng.random_bool(0.5));
                    let service = if training { &stage.studio.training } else { &stage.studio.massage };
                    let minutes = if training { 75 } else { 30 };
                    let span = frontdesk::domain::time::TimeSpan::new(start, start.checked_add(minutes.minutes()).unwrap()).unwrap();
                    (span, appointment(service, start, &[&stage.studio.anna]))
                })
                .collect();
            let all = race(&stage, "overlap", round, 1, |client| wishes[client].1.clone()).await;
            let taken = invariants::taken(
                stage.server.service(), stage.server.site, Target::Resource(stage.studio.anna.id), stage.span(base - 10, base + 340),
            ).await;
            let winners = all.iter().filter(|(_, said)| won(said)).count();
            assert_eq!(taken.len(), winners, "round {round}");
            for ((_, said), (span, _)) in all.iter().zip(&wishes) {
                assert!(won(said) || taken.iter().any(|claim| claim.span.overlaps(span)), "lost to nothing: {span:?} {said:?}");
            }
            stage.check_round(round).await;
        }
        stage.report("overlapping times");
    }

    async fn the_last_seats_of_a_class_go_to_as_many_as_fit(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let mut rng = rng("class room", round);
            let (capacity, most) = (rng.random_range(3..=20), rng.random_range(1..=3));
            let session = stage.session(i64::from(round) * 60, capacity).await;
            let all = race(&stage, "class", round, most, |_| seat(session)).await;
            fits(&all, capacity, most);
            stage.check_round(round).await;
        }
        stage.report("class");
    }

    async fn the_seats_of_a_course_go_to_as_many_as_fit(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let mut rng = rng("course room", round);
            let (capacity, most) = (rng.random_range(3..=20), rng.random_range(1..=3));
            let run = stage.run(capacity).await;
            let all = race(&stage, "course", round, most, |_| place(run)).await;
            fits(&all, capacity, most);
            stage.check_round(round).await;
        }
        stage.report("course");
    }

    /// Several items each, in orders of their own: a bulk locks what all of its items need before the first of them.
    async fn bulks_that_cross_each_other_never_deadlock(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let base = i64::from(round) * 12 * 60;
            let mut rng = rng("bulk", round);
            let session = stage.session(base, 10).await;
            let bulks: Vec<_> = (0..CLIENTS / 2)
                .map(|_| {
                    let items = (0..6).map(|_| {
                        let start = stage.at(base + rng.random_range(0..16) * 30);
                        match rng.random_range(0..4) {
                            0 => confirmed(appointment(&stage.studio.massage, start, &[&stage.studio.ben]), 1),
                            1 => confirmed(appointment(&stage.studio.training, start, &[]), 1),
                            2 => confirmed(appointment(&stage.studio.workshop, start, &[]), 1),
                            _ => confirmed(seat(session), rng.random_range(1..=2)),
                        }
                    });
                    items.collect::<Vec<_>>()
                })
                .collect();
            let owner = stage.owner();
            let all = at_once(bulks.into_iter().map(|items| owner.clone().bulk(items))).await;
            for said in all.iter().flatten() {
                assert!(said.is_ok() || no_room(said), "{said:?}");
            }
            stage.check_round(round).await;
        }
        stage.report("bulks");
    }

    /// Twins under one key: one booking, and all get the same answer.
    async fn one_key_makes_one_booking_however_often_it_is_sent(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let start = stage.at(i64::from(round) * 60);
            let (member, key) = (stage.member(round as usize), format!("round-{round}"));
            let sent = at_once((0..CLIENTS).map(|_| {
                let (member, key) = (member.clone(), key.clone());
                let input = held(appointment(&stage.studio.massage, start, &[&stage.studio.anna]), 1, 600);
                async move { member.create_under(input, &key).await.expect("the first one's answer") }
            })).await;
            assert!(sent.iter().all(|booking| *booking == sent[0]), "round {round}: {sent:#?}");
            stage.check_round(round).await;
        }
        stage.report("twins");
    }
}

fn fits(all: &[(i32, Said)], capacity: i32, most: i32) {
    let taken: i32 = all.iter().filter(|(_, said)| won(said)).map(|(seats, _)| seats).sum();
    assert!(taken <= capacity, "{taken} of {capacity}");
    if most == 1 {
        assert_eq!(taken, capacity);
    }
    for (seats, said) in all {
        assert!(
            won(said) || *seats > capacity - taken,
            "{seats} would still fit in {capacity} - {taken}: {said:?}"
        );
    }
}
