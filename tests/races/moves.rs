//! Bookings that move, grow, are given up or run out while others claim.

use frontdesk::domain::{booking::BookingStatus, conflict::Target};
use jiff::{SignedDuration, ToSpan as _};
use rand::RngExt as _;

use crate::{
    invariants, on_both_engines,
    stage::{
        CLIENTS, Said, Stage, appointment, at_once, confirmed, held, new, no_room, rng, rounds, seat, skipping,
        too_late,
    },
};

type Act = std::pin::Pin<Box<dyn Future<Output = Said> + Send>>;

on_both_engines! {
    /// Both orders are legal; in both it ends canceled and holds nothing.
    async fn confirm_against_cancel_ends_canceled(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let wanted = appointment(&stage.studio.massage, stage.at(i64::from(round) * 60), &[&stage.studio.anna]);
            let booking = stage.member(1).create(new(wanted, 1)).await.unwrap().id;
            let all = at_once((0..16).map(|client| {
                let owner = stage.owner();
                let act: Act = if client % 2 == 0 { Box::pin(owner.confirm(booking)) } else { Box::pin(owner.cancel(booking)) };
                act
            })).await;
            let canceled = all.iter().skip(1).step_by(2).filter(|said| said.is_ok()).count();
            assert_eq!(canceled, 1, "round {round}: {all:#?}");
            assert!(all.iter().step_by(2).filter(|said| said.is_ok()).count() <= 1);
            assert!(all.iter().all(|said| said.is_ok() || too_late(said)), "{all:#?}");
            assert_eq!(stage.owner().see(booking).await.status, BookingStatus::Canceled);
            stage.check_round(round).await;
        }
        stage.report("confirm against cancel");
    }

    async fn a_move_into_a_time_that_others_book_has_one_winner(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let base = i64::from(round) * 120;
            let there = |minutes| appointment(&stage.studio.massage, stage.at(base + minutes), &[&stage.studio.anna]);
            let booking = stage.owner().create(confirmed(there(0), 1)).await.unwrap().id;
            let all = at_once((0..CLIENTS).map(|client| {
                let owner = stage.owner();
                let act: Act = match client {
                    20 => Box::pin(owner.reschedule(booking, there(60), false)),
                    _ if client % 2 == 0 => Box::pin(owner.create(confirmed(there(60), 1))),
                    _ => Box::pin(stage.member(client + CLIENTS * round as usize).create(held(there(60), 1, 600))),
                };
                act
            })).await;
            assert_eq!(all.iter().filter(|said| said.is_ok()).count(), 1, "round {round}");
            assert!(all.iter().all(|said| said.is_ok() || no_room(said)), "{all:#?}");
            let left = invariants::taken(
                stage.server.service(), stage.server.site, Target::Resource(stage.studio.anna.id), stage.span(base, base + 30),
            ).await;
            assert_eq!(left.is_empty(), all[20].is_ok(), "who moved left nothing behind");
            stage.check_round(round).await;
        }
        stage.report("a move into a race");
    }

    /// Without the business's word each is in the other's way; with it both move. Never a deadlock.
    async fn two_that_swap_times_end_legal(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let (base, skip) = (i64::from(round) * 120, round % 2 == 1);
            let mut pairs = Vec::new();
            for pair in 0..8 {
                let day = stage.at(base + pair * 1_000_000);
                let wish = |minutes: i64, someone| {
                    appointment(&stage.studio.workshop, day.checked_add(minutes.minutes()).unwrap(), &[someone])
                };
                let (here, there) = (wish(0, &stage.studio.anna), wish(30, &stage.studio.ben));
                let first = stage.owner().create(confirmed(here.clone(), 1)).await.unwrap().id;
                let second = stage.owner().create(confirmed(there.clone(), 1)).await.unwrap().id;
                pairs.push((first, there));
                pairs.push((second, here));
            }
            let owner = stage.owner();
            let all = at_once(pairs.into_iter().map(|(booking, to)| owner.clone().reschedule(booking, to, skip))).await;
            assert!(all.iter().all(|said| said.is_ok() == skip && (skip || no_room(said))), "round {round}: {all:#?}");
            stage.check_round(round).await;
        }
        stage.report("swaps");
    }

    async fn class_bookings_that_change_sessions_both_ways_fill_no_seat_twice(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let base = i64::from(round) * 180;
            let sessions = [stage.session(base, 20).await, stage.session(base + 60, 20).await];
            let mut moves = Vec::new();
            for number in 0..32 {
                let booking = stage.owner().create(confirmed(seat(sessions[number % 2]), 1)).await.unwrap().id;
                moves.push((booking, seat(sessions[(number + 1) % 2])));
            }
            let owner = stage.owner();
            let all = at_once(moves.into_iter().map(|(booking, to)| owner.clone().reschedule(booking, to, false))).await;
            assert!(all.iter().all(|said| said.is_ok() || no_room(said)), "{all:#?}");
            assert!(all.iter().any(|said| said.is_ok()));
            stage.check_round(round).await;
        }
        stage.report("sessions exchanged");
    }

    /// Many hands on one booking: each finds it as the one before left it.
    async fn one_booking_that_all_move_is_at_one_place_in_the_end(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let base = i64::from(round) * 24 * 60;
            let there = |minutes| appointment(&stage.studio.massage, stage.at(base + minutes), &[]);
            let input = match round % 3 {
                0 => new(there(0), 1),
                1 => confirmed(there(0), 1),
                _ => held(there(0), 1, 600),
            };
            let maker = if round % 3 == 1 { stage.owner() } else { stage.member(round as usize) };
            let booking = maker.create(input).await.unwrap().id;
            let all = at_once((0..CLIENTS as i64).map(|client| {
                let owner = stage.owner();
                let act: Act = if client == 40 { Box::pin(owner.confirm(booking)) } else { Box::pin(owner.reschedule(booking, there(client * 10), false)) };
                act
            })).await;
            for (client, said) in all.iter().enumerate() {
                assert!(said.is_ok() || (client == 40 && too_late(said)), "{client}: {said:?}");
            }
            stage.check_round(round).await;
        }
        stage.report("one booking moved by all");
    }

    async fn numbers_of_participants_grow_only_into_free_seats(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let mut rng = rng("participants", round);
            let session = stage.session(i64::from(round) * 60, 24).await;
            let mut bookings = Vec::new();
            for number in 0..8 {
                let input = if number % 2 == 0 { confirmed(seat(session), 2) } else { new(seat(session), 2) };
                bookings.push(stage.owner().create(input).await.unwrap().id);
            }
            let acts: Vec<Act> = (0..CLIENTS).map(|client| {
                let (owner, seats) = (stage.owner(), rng.random_range(1..=5));
                let booking = bookings[rng.random_range(0..bookings.len())];
                let act: Act = match client % 4 {
                    0 => Box::pin(owner.create(confirmed(seat(session), seats))),
                    1 => Box::pin(stage.member(client + CLIENTS * round as usize).create(held(seat(session), seats, 600))),
                    2 => Box::pin(owner.participants(booking, seats, client % 16 == 2)),
                    _ => Box::pin(owner.participants(booking, seats, false)),
                };
                act
            }).collect();
            let all = at_once(acts).await;
            assert!(all.iter().all(|said| said.is_ok() || no_room(said)), "{all:#?}");
            stage.check_round(round).await;
        }
        stage.report("participants");
    }

    /// The time of a hold is over at the very moment at which others come.
    async fn a_hold_that_runs_out_goes_to_one_of_those_who_wait(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let start = stage.at(i64::from(round) * 60);
            let wanted = || appointment(&stage.studio.workshop, start, &[&stage.studio.anna]);
            let holder = stage.member(round as usize).create(held(wanted(), 1, 5)).await.unwrap();
            assert!(no_room(&stage.owner().create(confirmed(wanted(), 1)).await));
            let clock = stage.clock.clone();
            let acts: Vec<Act> = (0..CLIENTS).map(|client| {
                let owner = stage.owner();
                let act: Act = match client {
                    30 => {
                        let clock = clock.clone();
                        Box::pin(async move {
                            clock.advance(SignedDuration::from_secs(5));
                            owner.decide(holder.id).await
                        })
                    }
                    _ if client % 2 == 0 => Box::pin(owner.create(confirmed(wanted(), 1))),
                    _ => Box::pin(stage.member(client + CLIENTS * (round as usize + 1)).create(held(wanted(), 1, 600))),
                };
                act
            }).collect();
            let all = at_once(acts).await;
            let won = |said: &Said| match said {
                Ok(booking) => booking.status != BookingStatus::Declined,
                refused => {
                    assert!(no_room(refused), "{refused:?}");
                    false
                }
            };
            assert_eq!(all.iter().filter(|said| won(said)).count(), 1, "round {round}: {all:#?}");
            stage.check_round(round).await;
        }
        stage.report("holds that run out");
    }

    /// Several requests may wait for one time; the first that is confirmed is not flagged, all others are.
    async fn requests_for_one_time_are_flagged_behind_the_first_that_is_confirmed(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let start = stage.at(i64::from(round) * 60);
            let mut requests = Vec::new();
            for number in 0..24 {
                let input = new(appointment(&stage.studio.audition, start, &[]), 1);
                let booking = stage.member(number).create(input).await.unwrap().id;
                if number % 3 == 0 {
                    stage.owner().pend(booking).await.unwrap();
                }
                requests.push(booking);
            }
            let all = at_once(requests.iter().enumerate().flat_map(|(number, booking)| {
                let (owner, booking) = (stage.owner(), *booking);
                let mut acts: Vec<Act> = Vec::new();
                if number % 3 != 0 {
                    acts.push(Box::pin(owner.clone().pend(booking)));
                }
                if number % 4 == 0 {
                    acts.push(Box::pin(owner.clone().confirm(booking)));
                }
                if number % 5 == 0 {
                    acts.push(Box::pin(owner.cancel(booking)));
                }
                acts
            })).await;
            assert!(all.iter().all(|said| said.is_ok() || too_late(said)), "{all:#?}");
            stage.check_round(round).await;
        }
        stage.report("requests for one time");
    }

    /// What the business lets in beside others, and what becomes of the flags when one after the other goes.
    async fn flags_follow_what_is_in_the_way(engine) {
        let stage = Stage::open(engine).await;
        for round in 0..rounds() {
            let base = i64::from(round) * 24 * 60;
            let mut rng = rng("flags", round);
            let mut bookings = Vec::new();
            for number in 0..24 {
                let wanted = appointment(&stage.studio.training, stage.at(base + rng.random_range(0..30) * 10), &[]);
                let input = if number % 5 == 0 { skipping(new(wanted, 1)) } else { new(wanted, 1) };
                bookings.push(stage.owner().create(input).await.unwrap().id);
            }
            let owner = stage.owner();
            let all = at_once(bookings.iter().map(|booking| owner.clone().decide_paid(*booking))).await;
            assert!(all.iter().all(Result::is_ok), "{all:#?}");
            stage.check_round(round).await;
            let all = at_once(bookings.iter().enumerate().map(|(number, booking)| {
                let (owner, booking) = (owner.clone(), *booking);
                let to = appointment(&stage.studio.training, stage.at(base + 300 + number as i64 * 10), &[]);
                let act: Act = match number % 3 {
                    0 => Box::pin(owner.cancel(booking)),
                    1 => Box::pin(owner.reschedule(booking, to, number % 2 == 0)),
                    _ => Box::pin(owner.create(confirmed(to, 1))),
                };
                act
            })).await;
            assert!(all.iter().all(|said| said.is_ok() || no_room(said)), "{all:#?}");
            stage.check_round(round).await;
        }
        stage.report("flags");
    }
}
