//! Single cases, step by step: what the races found once and must not find again.

use frontdesk::{
    domain::{Rejection, booking::BookingStatus, ids::SiteId},
    store::{Command, Failure, StoreError, Tx, bookings},
};
use jiff::SignedDuration;

use crate::{
    invariants, on_both_engines,
    stage::{Stage, appointment, at_once, confirmed, held, new, seat, skipping},
};

/// A command that does what it can and then goes wrong.
struct Broken {
    site: SiteId,
    how: How,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Panics,
    NeverEnds,
}

impl Command for Broken {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        use diesel_async::SimpleAsyncConnection as _;
        let sql = "DELETE FROM claims; DELETE FROM booking_contacts";
        match tx.conn() {
            frontdesk::store::Conn::Sqlite(c) => c.batch_execute(sql).await,
            frontdesk::store::Conn::Pg(c) => (&mut &***c).batch_execute(sql).await,
        }
        .map_err(StoreError::from)?;
        if self.how == How::NeverEnds && matches!(tx.conn(), frontdesk::store::Conn::Sqlite(_)) {
            std::future::pending::<()>().await;
        }
        panic!("on purpose")
    }
}

on_both_engines! {
    async fn a_command_that_panics_hurts_nobody_else(engine) {
        let stage = Stage::open(engine).await;
        for how in [How::Panics, How::NeverEnds] {
            let day = if how == How::Panics { 0 } else { 4 * 24 * 60 };
            let mut acts: Vec<std::pin::Pin<Box<dyn Future<Output = bool> + Send>>> = Vec::new();
            for number in 0..64_i64 {
                let (owner, site) = (stage.owner(), stage.server.site);
                if number % 8 == 3 {
                    acts.push(Box::pin(async move {
                        let broken = owner.service.db().write(Broken { site, how }).await;
                        assert!(matches!(broken, Err(Failure::Store(StoreError::Panicked))), "{broken:?}");
                        false
                    }));
                } else {
                    let wanted = appointment(&stage.studio.massage, stage.at(day + number * 30), &[&stage.studio.ben]);
                    acts.push(Box::pin(async move { owner.create(confirmed(wanted, 1)).await.is_ok() }));
                }
            }
            let made = at_once(acts).await.into_iter().filter(|made| *made).count();
            assert!(made >= 50, "{made}");
            let holders = invariants::holders(stage.server.service(), stage.server.site).await;
            assert!(holders.len() >= made, "every one of them still holds its time");
            stage.check().await;
        }
    }

    /// Canceling A touches F, which clashes with G beyond A's time as well.
    async fn a_flag_stays_while_somebody_else_is_in_the_way(engine) {
        let stage = Stage::open(engine).await;
        let owner = || stage.owner();
        let at = |minutes| appointment(&stage.studio.massage, stage.at(minutes), &[&stage.studio.anna]);
        // F is made while the time is free, G and A come, then F is paid for.
        let f = owner().create(new(at(20), 1)).await.unwrap();
        let a = owner().create(confirmed(at(0), 1)).await.unwrap();
        let g = owner().create(confirmed(at(40), 1)).await.unwrap();
        assert!(owner().decide_paid(f.id).await.unwrap().double_booked);
        owner().cancel(a.id).await.expect("it is canceled");
        assert!(owner().see(f.id).await.double_booked, "G is still in its way");
        stage.check().await;
        owner().cancel(g.id).await.expect("it is canceled");
        assert!(!owner().see(f.id).await.double_booked, "nobody is in its way");
        stage.check().await;
    }

    /// An act meets a hold that ran out, and with it goes the clash of a booking that the act has nothing to do with.
    async fn a_hold_that_others_find_expired_clears_the_flags_around_it(engine) {
        let stage = Stage::open(engine).await;
        let anna = &stage.studio.anna;
        let f = stage.owner().create(new(appointment(&stage.studio.massage, stage.at(60), &[anna]), 1)).await.unwrap();
        // 75 minutes with the buffer: from 0 to 75.
        stage.member(1).create(held(appointment(&stage.studio.training, stage.at(0), &[anna]), 1, 5)).await.unwrap();
        assert!(stage.owner().decide_paid(f.id).await.unwrap().double_booked);
        stage.clock.advance(SignedDuration::from_secs(6));
        stage.owner().create(confirmed(appointment(&stage.studio.massage, stage.at(0), &[anna]), 1)).await.unwrap();
        let seen = stage.owner().see(f.id).await;
        assert!(!seen.double_booked, "the hold is over: {seen:#?}");
        stage.check().await;
    }

    /// The same where the hold had more than the act locks.
    async fn a_hold_on_several_resources_clears_the_flags_on_all_of_them(engine) {
        let stage = Stage::open(engine).await;
        let (anna, ben) = (&stage.studio.anna, &stage.studio.ben);
        let by_ben = stage.owner().create(new(appointment(&stage.studio.workshop, stage.at(15), &[ben]), 1)).await.unwrap();
        stage.member(1).create(held(appointment(&stage.studio.workshop, stage.at(0), &[anna]), 1, 5)).await.unwrap();
        assert!(stage.owner().decide_paid(by_ben.id).await.unwrap().double_booked, "the room");
        stage.clock.advance(SignedDuration::from_secs(6));
        stage.owner().create(confirmed(appointment(&stage.studio.massage, stage.at(0), &[anna]), 1)).await.unwrap();
        let seen = stage.owner().see(by_ben.id).await;
        assert!(!seen.double_booked, "the hold is over: {seen:#?}");
        stage.check().await;
    }

    /// Its own hold is settled by the act itself, which must not take that for somebody else's change.
    async fn a_booking_whose_hold_ran_out_can_be_acted_on(engine) {
        let stage = Stage::open(engine).await;
        let at = |minutes| appointment(&stage.studio.massage, stage.at(minutes), &[&stage.studio.anna]);
        let moved = stage.member(1).create(held(at(0), 1, 5)).await.unwrap();
        let confirmed_later = stage.member(2).create(held(at(60), 1, 5)).await.unwrap();
        stage.clock.advance(SignedDuration::from_secs(6));
        let after = stage.owner().reschedule(moved.id, at(120), false).await.unwrap();
        assert_eq!(after.hold_expires_at, None);
        // The caller saw revision 1 and knew when the hold would end.
        let verdict = frontdesk::service::bookings::Verdict::Confirm { check_availability: true };
        match stage.owner().act_at(confirmed_later.id, verdict, confirmed_later.revision).await {
            Ok(after) => assert_eq!(after.status, BookingStatus::Confirmed),
            // The sweep was there before: then the caller sees the revision that it is refused for.
            Err(Rejection::RevisionMismatch { current, .. }) => {
                assert_eq!(stage.owner().see(confirmed_later.id).await.revision, current);
            }
            Err(rejection) => panic!("{rejection:?}"),
        }
        stage.check().await;
    }

    /// The sweep that found the hold comes after the act that confirmed the booking.
    async fn a_late_sweep_takes_nothing_from_a_booking_that_was_confirmed(engine) {
        let stage = Stage::open(engine).await;
        let wanted = appointment(&stage.studio.massage, stage.at(0), &[]);
        let booking = stage.member(1).create(held(wanted, 1, 5)).await.unwrap();
        stage.clock.advance(SignedDuration::from_secs(6));
        stage.owner().confirm(booking.id).await.unwrap();
        stage.server.service().expire_hold(stage.server.site, booking.id).await.unwrap();
        stage.check().await;
    }

    /// Who takes fewer seats keeps its place in the order of who was first.
    async fn fewer_seats_keep_their_place(engine) {
        let stage = Stage::open(engine).await;
        let session = stage.session(0, 10).await;
        let first = stage.owner().create(confirmed(seat(session), 8)).await.unwrap();
        let second = stage.owner().create(new(seat(session), 2)).await.unwrap();
        let third = stage.owner().create(confirmed(seat(session), 2)).await.unwrap();
        assert!(stage.owner().decide_paid(second.id).await.unwrap().double_booked);
        stage.owner().create(skipping(confirmed(seat(session), 4))).await.unwrap();
        let first = stage.owner().participants(first.id, 7, false).await.unwrap();
        assert!(!first.double_booked);
        stage.check().await;
        stage.owner().participants(first.id, 6, false).await.unwrap();
        stage.owner().cancel(third.id).await.unwrap();
        stage.check().await;
        assert!(!stage.owner().see(second.id).await.double_booked, "6 + 2 of 10, and whoever came later");
    }

    async fn a_key_whose_time_is_over_is_free_again_before_it_is_swept(engine) {
        let stage = Stage::open(engine).await;
        let at = |minutes| new(appointment(&stage.studio.massage, stage.at(minutes), &[]), 1);
        let first = stage.owner().create_under(at(0), "key").await.unwrap();
        assert_eq!(stage.owner().create_under(at(0), "key").await.unwrap().id, first.id);
        stage.clock.advance(SignedDuration::from_hours(8 * 24));
        let second = stage.owner().create_under(at(60), "key").await.unwrap();
        assert_ne!(first.id, second.id);
    }

    /// A second server on the same database whose clock is behind: the order of who was first is that of the locks.
    async fn who_was_first_does_not_hang_on_the_clocks_of_two_servers(engine) {
        let stage = Stage::open(engine).await;
        let at = |minutes| appointment(&stage.studio.massage, stage.at(minutes), &[&stage.studio.anna]);
        let late = stage.owner().create(new(at(0), 1)).await.unwrap();
        let first = stage.owner().create(confirmed(at(0), 1)).await.unwrap();
        // As if the first claim had been made by a server whose clock is an hour ahead.
        stage.server.service().db().write(Ahead { site: stage.server.site }).await.unwrap();
        assert!(stage.owner().confirm(late.id).await.unwrap().double_booked);
        let beside = stage.owner().create(skipping(confirmed(at(10), 1))).await.unwrap();
        stage.owner().cancel(beside.id).await.expect("it is canceled");
        assert!(stage.owner().see(late.id).await.double_booked);
        stage.check().await;
        stage.owner().cancel(first.id).await.unwrap();
        assert!(!stage.owner().see(late.id).await.double_booked);
        stage.check().await;
    }

    async fn a_row_that_changed_in_between_is_never_overwritten(engine) {
        let stage = Stage::open(engine).await;
        let wanted = appointment(&stage.studio.massage, stage.at(0), &[]);
        let booking = stage.owner().create(new(wanted, 1)).await.unwrap();
        stage.owner().confirm(booking.id).await.unwrap();
        let mut stale = booking.clone();
        stale.revision += 1;
        let written = stage.server.service().db().write(Overwrite { site: stage.server.site, stale }).await;
        assert!(!written.unwrap());
        stage.check().await;
    }
}

struct Overwrite {
    site: SiteId,
    stale: frontdesk::domain::booking::Booking,
}

impl Command for Overwrite {
    /// Whether it was written.
    type Output = bool;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, Failure> {
        match bookings::save(tx.conn(), self.site, &self.stale).await {
            Ok(()) => Ok(true),
            Err(Failure::Again) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

/// Puts every claim's id an hour into the future.
struct Ahead {
    site: SiteId,
}

impl Command for Ahead {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        use frontdesk::{
            domain::ids::{ClaimId, TypedId as _},
            store::claims,
        };
        let site = self.site;
        for mut claim in claims::all(tx.conn(), site)
            .await?
            .into_iter()
            .filter(|claim| claim.holder.booking().is_some())
        {
            claims::delete_one(tx.conn(), site, claim.id).await?;
            let uuid = claim.id.uuid();
            let (seconds, nanos) = uuid.get_timestamp().expect("a time").to_unix();
            let later = uuid::Timestamp::from_unix(uuid::NoContext, seconds + 3600, nanos);
            claim.id = ClaimId::from_uuid(uuid::Uuid::new_v7(later));
            claims::insert(tx.conn(), site, &claim).await?;
        }
        Ok(())
    }
}
