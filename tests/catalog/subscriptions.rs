//! Courses that are paid for month by month.

use jiff::{ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};

use crate::{done, on_both_engines, refused, studio, support::fixture::with};

const PAYMENT: &str = "service { id payment { rateType options { online inPerson deposit pricingPlan } \
    subscription { amountPerBillingCycle { amount currency } firstCharge frequency totalPayments recurringStartDate \
    fullUpfrontPayment { discountPercentage } } } }";

fn monthly(subscription: Value) -> Value {
    let rate = json!({ "amountPerBillingCycle": { "amount": "30.00", "currency": "EUR" }, "totalPayments": 4 });
    json!({ "rateType": "SUBSCRIPTION", "subscription": with(rate, subscription) })
}

on_both_engines! {
    async fn a_course_is_paid_for_by_the_month(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let course = json!({ "type": "COURSE", "name": "German", "defaultCapacity": 5, "payment": monthly(json!({})) });
        let made = done(&owner, "createService", course, PAYMENT).await["service"]["payment"].clone();
        assert_eq!(made["options"], json!({ "online": true, "inPerson": false, "deposit": false, "pricingPlan": false }));
        assert_eq!(made["subscription"], json!({
            "amountPerBillingCycle": { "amount": "30.00", "currency": "EUR" }, "firstCharge": "CHECKOUT", "frequency": "MONTHLY",
            "totalPayments": 4, "recurringStartDate": null, "fullUpfrontPayment": null,
        }));
        let upfront = monthly(json!({
            "firstCharge": "SCHEDULED", "recurringStartDate": "2030-02-28", "fullUpfrontPayment": { "discountPercentage": "100" },
        }));
        let id = studio.course.id.to_string();
        let changed = done(&owner, "updateService", json!({ "serviceId": id, "payment": upfront }), PAYMENT).await;
        let seen = &changed["service"]["payment"]["subscription"];
        assert_eq!((&seen["firstCharge"], &seen["recurringStartDate"]), (&json!("SCHEDULED"), &json!("2030-02-28")));
        assert_eq!(seen["fullUpfrontPayment"]["discountPercentage"], "100.00");
    }

    async fn who_books_later_pays_the_months_that_are_left(engine) {
        let (server, studio, owner) = studio(engine).await;
        let today = server.now().to_zoned(TimeZone::get("Europe/Berlin").unwrap()).date();
        let id = studio.course.id.to_string();
        let from = |date: jiff::civil::Date| monthly(json!({ "firstCharge": "SCHEDULED", "recurringStartDate": date.to_string() }));
        for (payment, total) in [
            (monthly(json!({})), "240.00"),
            (from(today.checked_add(2.days()).unwrap()), "240.00"),
            (from(today), "240.00"),
            // The first and perhaps the second were charged by now, not the third.
            (from(today.checked_sub(1.months()).unwrap().checked_sub(3.days()).unwrap()), "120.00"),
            (from(today.checked_sub(10.years()).unwrap()), "60.00"),
        ] {
            done(&owner, "updateService", json!({ "serviceId": id, "payment": payment }), PAYMENT).await;
            let booking = done(&owner, "createBooking", studio.enrolment(2), "booking { price { total { amount } } }").await;
            assert_eq!(booking["booking"]["price"]["total"]["amount"], total, "{payment}");
        }
    }

    async fn subscriptions_are_for_courses_and_online_alone(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let course = studio.course.id.to_string();
        let yoga = studio.yoga.id.to_string();
        let options = |online, other: &str| with(monthly(json!({})), json!({ "options": with(json!({ "online": online, "inPerson": false }), json!({ other: true })) }));
        let rate = |change| monthly(change);
        let cases = [
            (&yoga, monthly(json!({})), "payment.rateType", "VALIDATION_FAILURE"),
            (&course, options(true, "inPerson"), "payment.options.inPerson", "INVALID_PAYMENT_OPTIONS"),
            (&course, options(true, "deposit"), "payment.options.deposit", "INVALID_PAYMENT_OPTIONS"),
            (&course, options(true, "pricingPlan"), "payment.options.pricingPlan", "INVALID_PAYMENT_OPTIONS"),
            (&course, options(false, "inPerson"), "payment.options.online", "INVALID_PAYMENT_OPTIONS"),
            (&course, with(monthly(json!({})), json!({ "deposit": { "percentage": "10" } })), "payment.deposit", "VALIDATION_FAILURE"),
            (&course, rate(json!({ "totalPayments": 1 })), "payment.subscription.totalPayments", "VALIDATION_FAILURE"),
            (&course, rate(json!({ "totalPayments": 121 })), "payment.subscription.totalPayments", "VALIDATION_FAILURE"),
            (&course, rate(json!({ "amountPerBillingCycle": { "amount": "0", "currency": "EUR" } })), "payment.subscription.amountPerBillingCycle.amount", "VALIDATION_FAILURE"),
            (&course, rate(json!({ "amountPerBillingCycle": { "amount": "5", "currency": "USD" } })), "payment.subscription.amountPerBillingCycle.currency", "VALIDATION_FAILURE"),
            (&course, rate(json!({ "firstCharge": "SCHEDULED" })), "payment.subscription.recurringStartDate", "INVALID_DATE_FORMAT"),
            (&course, rate(json!({ "recurringStartDate": "2030-01-01" })), "payment.subscription.recurringStartDate", "INVALID_DATE_FORMAT"),
            (&course, rate(json!({ "firstCharge": "SCHEDULED", "recurringStartDate": "2030-02-30" })), "payment.subscription.recurringStartDate", "INVALID_DATE_FORMAT"),
            (&course, rate(json!({ "fullUpfrontPayment": { "discountPercentage": "100.01" } })), "payment.subscription.fullUpfrontPayment.discountPercentage", "VALIDATION_FAILURE"),
            (&course, json!({ "rateType": "SUBSCRIPTION" }), "payment.subscription", "VALIDATION_FAILURE"),
            (&course, with(monthly(json!({})), json!({ "rateType": "NO_FEE" })), "payment.subscription", "VALIDATION_FAILURE"),
            (&course, json!({ "rateType": "FIXED", "price": { "amount": "9", "currency": "EUR" }, "options": { "online": true, "inPerson": false, "deposit": true }, "deposit": { "percentage": "100" } }), "payment.deposit.percentage", "VALIDATION_FAILURE"),
        ];
        for (service, payment, path, code) in cases {
            let error = refused(&owner, "updateService", json!({ "serviceId": service, "payment": payment })).await;
            let found: Vec<&str> = error["path"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
            assert_eq!((found.join(".").as_str(), error["code"].as_str().unwrap()), (path, code), "{payment}: {error}");
        }
    }
}
