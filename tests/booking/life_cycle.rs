//! The acceptance scenarios of the booking's life.

use serde_json::json;

use crate::{
    on_both_engines,
    support::{Server, Studio, fixture::with},
};

on_both_engines! {
    async fn an_appointment_is_created_confirmed_moved_and_canceled(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = server.visitor().done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        assert_eq!(booking["status"], "CREATED");
        assert_eq!(booking["revision"], 1);
        let id = booking["id"].as_str().unwrap();
        let booking = owner.done("confirmBooking", json!({ "bookingId": id })).await;
        assert_eq!((&booking["status"], &booking["doubleBooked"]), (&json!("CONFIRMED"), &json!(false)));
        let slot = json!({ "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(60) } });
        let booking = owner.done("rescheduleBooking", json!({ "bookingId": id, "slot": slot })).await;
        assert_eq!(booking["startDate"], studio.at(60));
        assert_eq!(booking["revision"], 3);
        let booking = owner.done("cancelBooking", json!({ "bookingId": id })).await;
        assert_eq!(booking["status"], "CANCELED");
    }

    /// Scenario 5: what the business let in on purpose is never declined or flagged by the machine.
    async fn skip_availability_validation_is_kept_and_confirms_an_unpaid_clash(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let wish = studio.appointment(&studio.massage, 0, &[&studio.anna]);
        owner.done("createBooking", with(wish.clone(), json!({ "status": "CONFIRMED" }))).await;
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        let second = owner.done("createBooking", with(wish, skip)).await;
        let decided = owner
            .done("confirmOrDeclineBooking", json!({ "bookingId": second["id"], "paymentStatus": "NOT_PAID" }))
            .await;
        assert_eq!((&decided["status"], &decided["doubleBooked"]), (&json!("CONFIRMED"), &json!(false)));
        assert_eq!(decided["conflicts"].as_array().unwrap().len(), 1, "the overlap is on record");
    }
}
