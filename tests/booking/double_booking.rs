//! Double booking (`spec/bookings.md` §5): when a booking is declined, kept with a flag or refused, who carries the flag
//! and when it goes.

use frontdesk::domain::{
    catalog::{Service, ServiceResource},
    time::TimeSpan,
};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Server, Studio, id, ids, on, with},
};

const UNPAID: [&str; 5] = ["UNDEFINED", "NOT_PAID", "REFUNDED", "EXEMPT", "FAILED"];
const PAID: [&str; 2] = ["PAID", "PARTIALLY_PAID"];

/// Two wishes that don't fit beside each other, of one service.
struct Rivals {
    service: Service,
    first: Value,
    second: Value,
}

fn rivals(studio: &Studio) -> [Rivals; 3] {
    let massage = studio.appointment(&studio.massage, 0, &[&studio.anna]);
    [
        Rivals {
            service: studio.massage.clone(),
            first: massage.clone(),
            second: massage,
        },
        Rivals {
            service: studio.yoga.clone(),
            first: studio.class(&studio.session, 8),
            second: studio.class(&studio.session, 3),
        },
        Rivals {
            service: studio.course.clone(),
            first: studio.enrolment(6),
            second: studio.enrolment(3),
        },
    ]
}

fn flagged(booking: &Value) -> bool {
    booking["doubleBooked"].as_bool().unwrap()
}

/// Two confirmed bookings that clash; the second one carries the flag.
async fn clash(owner: &Client, first: Value, second: Value) -> (Value, Value) {
    let later = owner.done("createBooking", second).await;
    let first = owner.confirmed(first).await;
    let later = owner.done("confirmBooking", on(&later)).await;
    assert!(!flagged(&first) && flagged(&later));
    (first, later)
}

/// The flag is gone, by an event of its own.
async fn cleared(server: &Server, before: &Value) {
    let now = server.owner().again(before).await;
    assert!(!flagged(&now), "the flag is gone");
    assert_eq!(
        now["revision"],
        before["revision"].as_i64().unwrap() + 1,
        "one event, one revision"
    );
    assert_eq!(now["conflicts"], json!([]));
    let query = "query($id: ID!) { booking(id: $id) { history(last: 1) { nodes { type status previousStatus } } } }";
    let data = server.owner().data(query, json!({ "id": before["id"] })).await;
    let expected =
        json!({ "type": "DOUBLE_BOOKING_RESOLVED", "status": before["status"], "previousStatus": before["status"] });
    assert_eq!(data["booking"]["history"]["nodes"][0], expected);
}

async fn still(server: &Server, before: &Value) {
    assert_eq!(server.owner().again(before).await, *before, "nothing about it changed");
}

on_both_engines! {
    /// §5.3, with services that need approval and that don't.
    async fn confirm_or_decline_follows_the_table(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        for mut rivals in rivals(&studio) {
            for approval in [false, true] {
                rivals.service.online_booking.require_manual_approval = approval;
                server.save_service(&rivals.service).await;
                let approved = if approval { "PENDING" } else { "CONFIRMED" };
                for payment in UNPAID.into_iter().chain(PAID) {
                    let what = format!("{} approval {approval} {payment}", rivals.service.name);
                    let paid = json!({ "paymentStatus": payment });
                    let decide = |booking: &Value| with(on(booking), paid.clone());
                    // Rows 3 and 4: nothing in the way.
                    let free = owner.done("createBooking", rivals.second.clone()).await;
                    let free = owner.done("confirmOrDeclineBooking", decide(&free)).await;
                    assert_eq!((&free["status"], flagged(&free)), (&json!(approved), false), "{what}");
                    assert_eq!(free["paymentStatus"], payment);
                    owner.done("cancelBooking", on(&free)).await;
                    // Rows 5 to 7.
                    let lost = owner.done("createBooking", rivals.second.clone()).await;
                    let first = owner.confirmed(rivals.first.clone()).await;
                    let lost = owner.done("confirmOrDeclineBooking", decide(&lost)).await;
                    assert_eq!(lost["paymentStatus"], payment);
                    if PAID.contains(&payment) {
                        assert_eq!((&lost["status"], flagged(&lost)), (&json!(approved), true), "{what}");
                        assert_eq!(ids(&lost["conflicts"]), [id(&first)], "{what}");
                        assert_eq!(ids(&owner.again(&first).await["conflicts"]), [id(&lost)], "{what}");
                    } else {
                        assert_eq!((&lost["status"], flagged(&lost)), (&json!("DECLINED"), false), "{what}");
                        assert_eq!(server.claims_of(id(&lost)).await, [], "{what}");
                    }
                    let kept = owner.again(&first).await;
                    assert_eq!((&kept["revision"], flagged(&kept)), (&first["revision"], false), "{what}");
                    if PAID.contains(&payment) {
                        owner.done("cancelBooking", on(&lost)).await;
                    }
                    // Rows 1 and 2: let in on purpose.
                    let forced = owner.done("createBooking", with(rivals.second.clone(), skip.clone())).await;
                    let forced = owner.done("confirmOrDeclineBooking", decide(&forced)).await;
                    assert_eq!((&forced["status"], flagged(&forced)), (&json!(approved), false), "{what}");
                    owner.done("cancelBooking", on(&forced)).await;
                    owner.done("cancelBooking", on(&first)).await;
                }
            }
        }
    }

    async fn skip_business_confirmation_is_kept_for_confirm_or_decline(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let skip = json!({ "flowControlSettings": { "skipBusinessConfirmation": true } });
        let wish = studio.appointment(&studio.consultation, 0, &[]);
        let booking = owner.done("createBooking", with(wish, skip)).await;
        assert_eq!(owner.done("confirmOrDeclineBooking", on(&booking)).await["status"], "CONFIRMED");
    }

    async fn the_later_one_is_flagged_and_both_name_each_other(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        for rivals in rivals(&studio) {
            let (first, later) = clash(&owner, rivals.first, rivals.second).await;
            assert_eq!(ids(&later["conflicts"]), [id(&first)]);
            let kept = owner.again(&first).await;
            assert_eq!((&kept["revision"], flagged(&kept)), (&first["revision"], false), "who was first is untouched");
            assert_eq!(ids(&kept["conflicts"]), [id(&later)]);
        }
    }

    async fn the_flag_goes_when_the_rival_is_canceled(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        for rivals in rivals(&studio) {
            let (first, later) = clash(&owner, rivals.first, rivals.second).await;
            owner.done("cancelBooking", on(&first)).await;
            cleared(&server, &later).await;
        }
    }

    async fn the_flag_goes_when_the_rival_is_declined(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let skip = json!({ "flowControlSettings": { "skipPendingApprovalServiceValidation": true } });
        for rivals in rivals(&studio) {
            let later = owner.done("createBooking", rivals.second).await;
            let first = owner.done("createBooking", rivals.first).await;
            owner.done("markBookingAsPending", with(on(&first), skip.clone())).await;
            let later = owner.done("confirmBooking", on(&later)).await;
            assert!(flagged(&later), "a pending one holds its capacity");
            owner.done("declineBooking", on(&first)).await;
            cleared(&server, &later).await;
        }
    }

    async fn the_flag_goes_when_the_rival_moves(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let [massage, yoga, _] = rivals(&studio);
        let (first, later) = clash(&owner, massage.first, massage.second).await;
        let appointment = json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(30) });
        let slot = json!({ "slot": { "appointment": appointment } });
        owner.done("rescheduleBooking", with(on(&first), slot)).await;
        cleared(&server, &later).await;
        let (first, later) = clash(&owner, yoga.first, yoga.second).await;
        let slot = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
        owner.done("rescheduleBooking", with(on(&first), slot)).await;
        cleared(&server, &later).await;
    }

    async fn the_flag_goes_when_its_own_booking_moves_away(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let [massage, ..] = rivals(&studio);
        let (first, later) = clash(&owner, massage.first, massage.second).await;
        let appointment = json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(30) });
        let slot = json!({ "slot": { "appointment": appointment } });
        let moved = owner.done("rescheduleBooking", with(on(&later), slot)).await;
        assert!(!flagged(&moved));
        still(&server, &with(first, json!({ "conflicts": [] }))).await;
    }

    async fn the_flag_goes_when_the_rivals_numbers_shrink_far_enough(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        for (input, capacity) in [
            (Box::new(|seats| studio.class(&studio.session, seats)) as Box<dyn Fn(i32) -> Value>, 10),
            (Box::new(|seats| studio.enrolment(seats)), 8),
        ] {
            let (first, later) = clash(&owner, input(capacity - 2), input(4)).await;
            let less = |seats: i32| with(on(&first), json!({ "totalParticipants": seats }));
            let shrunk = owner.done("updateNumberOfParticipants", less(capacity - 3)).await;
            assert!(!flagged(&shrunk), "who was first stays first");
            still(&server, &later).await;
            owner.done("updateNumberOfParticipants", less(capacity - 4)).await;
            cleared(&server, &later).await;
        }
    }

    async fn the_flag_goes_when_its_own_numbers_shrink_far_enough(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let (first, later) = clash(&owner, studio.class(&studio.session, 6), studio.class(&studio.session, 6)).await;
        // A third one, which comes behind both.
        let third = owner.done("createBooking", studio.class(&studio.next_session, 2)).await;
        let slot = json!({
            "slot": { "session": { "sessionId": studio.session.id.to_string() } },
            "flowControlSettings": { "skipAvailabilityValidation": true },
        });
        let third = owner.done("rescheduleBooking", with(on(&third), slot)).await;
        owner.done("confirmBooking", on(&third)).await;
        let less = |seats: i32| with(on(&later), json!({ "totalParticipants": seats }));
        assert!(flagged(&owner.done("updateNumberOfParticipants", less(5)).await), "still more than there is room for");
        assert!(!flagged(&owner.done("updateNumberOfParticipants", less(4)).await), "only who came later is over");
        assert!(!flagged(&owner.again(&first).await));
    }

    async fn more_seats_than_are_left_are_refused_unless_the_business_insists(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let first = owner.confirmed(studio.class(&studio.session, 5)).await;
        let second = owner.confirmed(studio.class(&studio.session, 5)).await;
        let before = server.rows(id(&first)).await;
        let six = with(on(&first), json!({ "totalParticipants": 6 }));
        let error = owner.refused("updateNumberOfParticipants", six.clone()).await;
        assert_eq!(error["code"], "SESSION_CAPACITY_EXCEEDED");
        assert_eq!((&error["requested"], &error["remaining"]), (&json!(6), &json!(5)));
        assert_eq!(server.rows(id(&first)).await, before);
        let insist = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        let more = owner.done("updateNumberOfParticipants", with(six, insist)).await;
        assert_eq!((&more["totalParticipants"], flagged(&more)), (&json!(6), false));
        assert_eq!(ids(&more["conflicts"]), [id(&second)]);
    }

    async fn confirming_with_a_check_refuses_and_names_what_is_in_the_way(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let check = json!({ "checkAvailabilityValidation": true });
        let wish = studio.appointment(&studio.massage, 0, &[&studio.anna]);
        let second = owner.done("createBooking", wish.clone()).await;
        let first = owner.confirmed(wish).await;
        owner.confirmed(studio.appointment(&studio.training, 30, &[&studio.anna])).await;
        let before = server.rows(id(&second)).await;
        let error = owner.refused("confirmBooking", with(on(&second), check.clone())).await;
        assert_eq!(error["__typename"], "SlotNotAvailable");
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE");
        assert_eq!(ids(&error["conflicts"]), [id(&first)]);
        assert_eq!(error["nextAvailable"], studio.at(120), "the first that is offered behind the training and its buffer");
        assert_eq!(server.rows(id(&second)).await, before);
        let [_, yoga, course] = rivals(&studio);
        for (rivals, code, remaining) in
            [(yoga, "SESSION_CAPACITY_EXCEEDED", 2), (course, "SCHEDULE_CAPACITY_EXCEEDED", 2)]
        {
            let second = owner.done("createBooking", rivals.second).await;
            owner.confirmed(rivals.first).await;
            let error = owner.refused("confirmBooking", with(on(&second), check.clone())).await;
            assert_eq!((&error["code"], &error["remaining"]), (&json!(code), &json!(remaining)));
        }
    }

    async fn several_requests_wait_for_one_time_until_one_is_confirmed(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let wish = studio.appointment(&studio.audition, 0, &[&studio.anna]);
        let mut requests = Vec::new();
        for _ in 0..3 {
            let request = owner.done("createBooking", wish.clone()).await;
            let request = owner.done("markBookingAsPending", on(&request)).await;
            assert_eq!((&request["status"], flagged(&request)), (&json!("PENDING"), false));
            assert_eq!(request["conflicts"], json!([]));
            requests.push(request);
        }
        let taken = owner.done("confirmBooking", on(&requests[1])).await;
        assert!(!flagged(&taken), "it was free until then");
        let mut others = [id(&requests[0]).to_owned(), id(&requests[2]).to_owned()];
        others.sort();
        let mut named = ids(&taken["conflicts"]);
        named.sort();
        assert_eq!(named, others);
        for other in [&requests[0], &requests[2]] {
            let other = owner.again(other).await;
            assert!(flagged(&other));
            assert_eq!((&other["status"], &other["revision"]), (&json!("PENDING"), &json!(3)), "told by an event");
            assert_eq!(ids(&other["conflicts"]), [id(&taken)]);
        }
        owner.done("declineBooking", on(&requests[0])).await;
        let waiting = owner.again(&requests[2]).await;
        owner.done("cancelBooking", on(&taken)).await;
        cleared(&server, &waiting).await;
        let won = owner.done("confirmBooking", on(&requests[2])).await;
        assert!(!flagged(&won));
    }

    async fn a_buffer_is_kept_free_behind_and_not_before(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        // 60 minutes and 15 of buffer: busy from 0 to 75.
        owner.confirmed(studio.appointment(&studio.training, 0, &[&studio.anna])).await;
        let massage = |minutes| studio.appointment(&studio.massage, minutes, &[&studio.anna]);
        for minutes in [-29, 59, 60, 74] {
            let error = owner.refused("createBooking", massage(minutes)).await;
            assert_eq!((&error["code"], &error["nextAvailable"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(studio.at(90))), "the first that is offered");
        }
        owner.confirmed(massage(-30)).await;
        owner.confirmed(massage(75)).await;
        // Its own buffer must fit, too: 60 + 15 before what begins at 300.
        owner.confirmed(massage(300)).await;
        let error = owner.refused("createBooking", studio.appointment(&studio.training, 226, &[&studio.anna])).await;
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE");
        owner.confirmed(studio.appointment(&studio.training, 225, &[&studio.anna])).await;
    }

    async fn a_service_with_staff_and_a_room_needs_both(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let first = owner.confirmed(studio.appointment(&studio.workshop, 0, &[])).await;
        assert_eq!(first["bookedEntity"]["resource"]["id"], studio.anna.id.to_string(), "the first in the service's order");
        assert_eq!(ids(&first["bookedEntity"]["additionalResources"]), [studio.room.id.to_string()]);
        assert_eq!(server.claims_of(id(&first)).await.len(), 2);
        // Ben is free, the room isn't.
        let error = owner.refused("createBooking", studio.appointment(&studio.workshop, 15, &[&studio.ben])).await;
        assert_eq!(ids(&error["conflicts"]), [id(&first)]);
        assert_eq!(error["nextAvailable"], studio.at(30));
        // The room is free at 30, and Anna isn't until 60, but Ben is.
        owner.confirmed(studio.appointment(&studio.massage, 30, &[&studio.anna])).await;
        let second = owner.confirmed(studio.appointment(&studio.workshop, 30, &[])).await;
        assert_eq!(second["bookedEntity"]["resource"]["id"], studio.ben.id.to_string());
        assert!(!flagged(&second));
        owner.refused("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        owner.confirmed(studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
    }

    async fn overlaps_are_refused_and_touching_is_not(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let massage = |minutes| studio.appointment(&studio.massage, minutes, &[&studio.anna]);
        let first = owner.confirmed(massage(0)).await;
        for minutes in [-29, -15, 0, 1, 29] {
            let error = owner.refused("createBooking", massage(minutes)).await;
            assert_eq!((&error["code"], ids(&error["conflicts"])), (&json!("SLOT_NOT_AVAILABLE"), vec![id(&first).to_owned()]));
        }
        // One that would contain it.
        let error = owner.refused("createBooking", studio.appointment(&studio.training, -20, &[&studio.anna])).await;
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE");
        for minutes in [-30, 30] {
            assert!(!flagged(&owner.confirmed(massage(minutes)).await), "{minutes}");
        }
    }

    async fn where_nobody_is_named_whoever_is_free_does_it(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let anybody = studio.appointment(&studio.massage, 0, &[]);
        let waiting = owner.done("createBooking", anybody.clone()).await;
        assert_eq!(waiting["bookedEntity"]["resource"], json!(null), "nobody is assigned before it is on the calendar");
        let first = owner.confirmed(anybody.clone()).await;
        let second = owner.confirmed(anybody.clone()).await;
        for (booking, staff) in [(&first, &studio.anna), (&second, &studio.ben)] {
            let resource = &booking["bookedEntity"]["resource"];
            assert_eq!((&resource["name"], &resource["explicitlyRequested"]), (&json!(staff.name), &json!(false)));
        }
        let error = owner.refused("createBooking", anybody).await;
        assert_eq!((&error["code"], &error["nextAvailable"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(studio.at(30))));
        let unpaid = with(on(&waiting), json!({ "paymentStatus": "NOT_PAID" }));
        assert_eq!(owner.done("confirmOrDeclineBooking", unpaid).await["status"], "DECLINED");
    }

    async fn blocked_time_blocks_and_names_nobody(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let span = TimeSpan::new(studio.noon, studio.noon.checked_add(2.hours()).unwrap()).unwrap();
        server.block(&studio.anna, span).await;
        let massage = |minutes| studio.appointment(&studio.massage, minutes, &[&studio.anna]);
        for minutes in [-15, 0, 60, 119] {
            let error = owner.refused("createBooking", massage(minutes)).await;
            assert_eq!((&error["code"], &error["conflicts"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([])));
            assert_eq!(error["nextAvailable"], studio.at(120));
        }
        owner.confirmed(massage(-30)).await;
        owner.confirmed(massage(120)).await;
        owner.confirmed(studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
    }

    async fn a_class_session_blocks_its_trainers_appointments(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        // Yoga with Ben begins at 360 minutes and takes an hour.
        let massage = |staff: &[&_]| studio.appointment(&studio.massage, 390, staff);
        let error = owner.refused("createBooking", massage(&[&studio.ben])).await;
        assert_eq!((&error["code"], &error["nextAvailable"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(studio.at(420))));
        let anybody = owner.confirmed(massage(&[])).await;
        assert_eq!(anybody["bookedEntity"]["resource"]["name"], "Anna");
        owner.refused("createBooking", massage(&[])).await;
    }

    async fn one_resources_services_share_its_time(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        owner.confirmed(studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        for service in [&studio.consultation, &studio.audition, &studio.training, &studio.workshop] {
            let error = owner.refused("createBooking", studio.appointment(service, 15, &[&studio.anna])).await;
            assert_eq!(error["code"], "SLOT_NOT_AVAILABLE", "{}", service.name);
        }
    }

    async fn a_move_to_a_taken_time_is_refused_and_changes_nothing(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let rival = owner.confirmed(studio.appointment(&studio.massage, 60, &[&studio.anna])).await;
        let booking = owner.confirmed(studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let before = server.rows(id(&booking)).await;
        let appointment = json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(45) });
        let slot = json!({ "slot": { "appointment": appointment } });
        let error = owner.refused("rescheduleBooking", with(on(&booking), slot.clone())).await;
        assert_eq!((&error["code"], ids(&error["conflicts"])), (&json!("SLOT_NOT_AVAILABLE"), vec![id(&rival).to_owned()]));
        assert_eq!(server.rows(id(&booking)).await, before);
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        let moved = owner.done("rescheduleBooking", with(with(on(&booking), slot), skip)).await;
        assert!(!flagged(&moved), "by the business's own word");
        assert_eq!(ids(&moved["conflicts"]), [id(&rival)]);
        assert_eq!(ids(&owner.again(&rival).await["conflicts"]), [id(&booking)]);
    }

    async fn a_small_move_may_overlap_its_own_old_time(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.confirmed(studio.appointment(&studio.training, 0, &[])).await;
        let appointment = json!({ "serviceId": studio.training.id.to_string(), "startDate": studio.at(15) });
        let slot = json!({ "slot": { "appointment": appointment } });
        let moved = owner.done("rescheduleBooking", with(on(&booking), slot)).await;
        assert_eq!((&moved["startDate"], &moved["endDate"]), (&json!(studio.at(15)), &json!(studio.at(75))));
        assert!(!flagged(&moved));
    }

    /// Whoever leaves the business must not make the bookings that name them unmanageable.
    async fn a_booking_whose_staff_left_the_service_can_still_be_given_up(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let first = owner.confirmed(studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
        let second = owner.done("createBooking", studio.appointment(&studio.massage, 60, &[&studio.ben])).await;
        let mut massage = studio.massage.clone();
        massage.requirements = ServiceResource::of_each_type(std::slice::from_ref(&studio.anna));
        server.save_service(&massage).await;
        assert_eq!(owner.done("cancelBooking", on(&first)).await["status"], "CANCELED");
        assert_eq!(owner.done("declineBooking", on(&second)).await["status"], "DECLINED");
        massage.requirements = vec![];
        server.save_service(&massage).await;
        let third = owner.done("createBooking", studio.appointment(&studio.training, 0, &[])).await;
        let mut training = studio.training.clone();
        training.requirements = vec![];
        server.save_service(&training).await;
        assert_eq!(owner.done("cancelBooking", on(&third)).await["status"], "CANCELED");
    }
}
