//! What a service costs, how it can be paid for, and how a booking may then mean to pay.

use serde_json::{Value, json};

use super::{class, made, place};
use crate::{
    done, on_both_engines, refused, studio,
    support::{Server, fixture::with},
};

const PAYMENT: &str = "payment { rateType price { amount currency } defaultPrice { amount } description \
    deposit { amount { amount } percentage } fullUpfrontPaymentAllowed options { online inPerson deposit pricingPlan } }";

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

#[expect(
    clippy::fn_params_excessive_bools,
    reason = "four ways to pay, in the order of the table"
)]
fn options(online: bool, in_person: bool, deposit: bool, pricing_plan: bool) -> Value {
    json!({ "online": online, "inPerson": in_person, "deposit": deposit, "pricingPlan": pricing_plan })
}

fn paid(payment: Value) -> Value {
    with(class("Yoga"), json!({ "payment": payment }))
}

on_both_engines! {
    async fn a_service_is_priced_in_each_of_the_four_ways(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let nothing = json!({ "price": null, "defaultPrice": null, "description": null, "deposit": null, "fullUpfrontPaymentAllowed": false });
        for (input, expected) in [
            (json!({ "rateType": "NO_FEE" }), json!({ "rateType": "NO_FEE", "options": options(false, true, false, false) })),
            (
                json!({ "rateType": "FIXED", "price": euro("40"), "deposit": { "amount": euro("10") }, "fullUpfrontPaymentAllowed": true, "options": options(true, true, true, false) }),
                json!({ "rateType": "FIXED", "price": euro("40.00"), "deposit": { "amount": { "amount": "10.00" }, "percentage": null }, "fullUpfrontPaymentAllowed": true, "options": options(true, true, true, false) }),
            ),
            (
                json!({ "rateType": "VARIED", "defaultPrice": euro("25"), "deposit": { "percentage": "12.5" }, "options": options(true, false, true, true) }),
                json!({ "rateType": "VARIED", "defaultPrice": { "amount": "25.00" }, "deposit": { "amount": null, "percentage": "12.50" }, "options": options(true, false, true, true) }),
            ),
            (
                json!({ "rateType": "CUSTOM", "description": "donation", "options": options(false, true, false, true) }),
                json!({ "rateType": "CUSTOM", "description": "donation", "options": options(false, true, false, true) }),
            ),
        ] {
            let service = made(&owner, paid(input), PAYMENT).await;
            assert_eq!(service["payment"], with(nothing.clone(), expected));
            let read = owner.data(&format!("query($id: ID!) {{ service(id: $id) {{ {PAYMENT} }} }}"), json!({ "id": service["id"] })).await;
            assert_eq!(read["service"]["payment"], service["payment"], "as it was made, so it is read");
        }
    }

    async fn what_does_not_go_together_is_refused_with_its_code_and_place(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let fixed = |more: Value| paid(with(json!({ "rateType": "FIXED", "price": euro("40") }), more));
        let (wrong, broken) = ("INVALID_PAYMENT_OPTIONS", "VALIDATION_FAILURE");
        for (input, code, path) in [
            (fixed(json!({ "options": options(false, false, false, false) })), wrong, "payment.options"),
            (fixed(json!({ "options": options(false, true, true, false), "deposit": { "percentage": "10" } })), wrong, "payment.options.deposit"),
            (fixed(json!({ "options": options(true, true, true, false) })), wrong, "payment.options.deposit"),
            (fixed(json!({ "options": options(true, true, true, false), "deposit": { "amount": euro("40") } })), wrong, "payment.options.inPerson"),
            (fixed(json!({ "deposit": { "amount": euro("40.01") } })), broken, "payment.deposit.amount.amount"),
            (fixed(json!({ "deposit": { "percentage": "100" } })), broken, "payment.deposit.percentage"),
            (fixed(json!({ "defaultPrice": euro("1") })), broken, "payment.defaultPrice"),
            (fixed(json!({ "description": "free" })), broken, "payment.description"),
            (paid(json!({ "rateType": "VARIED" })), broken, "payment.defaultPrice"),
            (paid(json!({ "rateType": "VARIED", "defaultPrice": { "amount": "1", "currency": "USD" } })), broken, "payment.defaultPrice.currency"),
            (paid(json!({ "rateType": "CUSTOM", "options": options(true, true, false, false) })), wrong, "payment.options"),
            (paid(json!({ "rateType": "CUSTOM", "options": options(false, true, true, false) })), wrong, "payment.options.deposit"),
            (paid(json!({ "rateType": "CUSTOM", "description": "x".repeat(51) })), broken, "payment.description"),
            (paid(json!({ "rateType": "NO_FEE", "options": options(false, true, false, true) })), wrong, "payment.options.pricingPlan"),
            (paid(json!({ "rateType": "NO_FEE", "deposit": { "percentage": "10" } })), broken, "payment.deposit"),
            (paid(json!({ "rateType": "NO_FEE", "fullUpfrontPaymentAllowed": true })), broken, "payment.fullUpfrontPaymentAllowed"),
            (with(fixed(json!({ "options": options(true, true, false, true) })), json!({ "onlineBooking": { "requireManualApproval": true } })),
                "INVALID_MANUAL_APPROVAL_WITH_PRICING_PLANS", "onlineBooking.requireManualApproval"),
            (with(fixed(json!({ "options": options(true, true, false, true) })), json!({ "onlineBooking": { "enabled": false } })),
                wrong, "payment.options.pricingPlan"),
        ] {
            let error = refused(&owner, "createService", input.clone()).await;
            assert_eq!((error["code"].as_str().unwrap(), place(&error).as_str()), (code, path), "{input}: {error}");
        }
        // A change is judged with all that stays.
        let plan = made(&owner, fixed(json!({ "options": options(false, false, false, true) })), PAYMENT).await;
        let error = refused(&owner, "updateService", json!({ "serviceId": plan["id"], "onlineBooking": { "requireManualApproval": true } })).await;
        assert_eq!(error["code"], "INVALID_MANUAL_APPROVAL_WITH_PRICING_PLANS");
    }

    async fn a_booking_is_paid_in_a_way_that_the_service_offers(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let id = studio.training.id.to_string();
        let all = ["OFFLINE", "ONLINE", "MEMBERSHIP", "MEMBERSHIP_OFFLINE"];
        for (round, (offered, expected)) in [
            (options(true, true, false, false), vec!["OFFLINE", "ONLINE"]),
            (options(true, false, false, false), vec!["ONLINE"]),
            (options(false, true, false, true), vec!["OFFLINE", "MEMBERSHIP", "MEMBERSHIP_OFFLINE"]),
            (options(false, false, false, true), vec!["MEMBERSHIP", "MEMBERSHIP_OFFLINE"]),
        ].into_iter().enumerate() {
            let payment = json!({ "rateType": "FIXED", "price": euro("50"), "options": offered });
            done(&owner, "updateService", json!({ "serviceId": id, "payment": payment }), "service { id }").await;
            for (n, option) in (0_i64..).zip(all) {
                let minutes = i64::try_from(round).unwrap() * 30 + n;
                let wish = with(studio.appointment(&studio.training, minutes * 90, &[]), json!({ "selectedPaymentOption": option }));
                if expected.contains(&option) {
                    owner.done("createBooking", wish).await;
                } else {
                    let error = owner.refused("createBooking", wish).await;
                    assert_eq!(error["path"], json!(["selectedPaymentOption"]), "{option}");
                }
            }
        }
    }

    async fn the_currency_stays_while_a_varied_price_is_in_it(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let donation = made(&owner, paid(json!({ "rateType": "CUSTOM", "description": "donation" })), "").await;
        done(&owner, "updateSite", json!({ "currency": "USD" }), "site { id }").await;
        done(&owner, "updateSite", json!({ "currency": "EUR" }), "site { id }").await;
        let varied = json!({ "serviceId": donation["id"], "payment": { "rateType": "VARIED", "defaultPrice": euro("0") } });
        done(&owner, "updateService", varied, "service { id }").await;
        assert_eq!(refused(&owner, "updateSite", json!({ "currency": "USD" })).await["path"], json!(["currency"]));
    }
}
