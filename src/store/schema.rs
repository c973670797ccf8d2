//! The tables, once for both engines. `migrations/` has their definitions; a test compares the two.
#![allow(missing_docs, clippy::wildcard_imports, reason = "the macro writes most of it")]

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    sites (id) {
        id -> Uid,
        slug -> Text,
        name -> Text,
        time_zone -> Text,
        currency -> Text,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    api_keys (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        name -> Text,
        scopes -> Document,
        secret_hash -> Binary,
        created_by_kind -> Text,
        created_by_id -> Text,
        expires_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    site_counters (site_id) {
        site_id -> Uid,
        position -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    services (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        kind -> Text,
        name -> Text,
        slug -> Text,
        description -> Nullable<Text>,
        default_capacity -> Integer,
        durations -> Document,
        buffer_minutes -> Integer,
        price_minor -> Nullable<BigInt>,
        price_currency -> Nullable<Text>,
        pay_online -> Bool,
        pay_in_person -> Bool,
        online_booking_enabled -> Bool,
        require_manual_approval -> Bool,
        allow_multiple_requests -> Bool,
        requirements -> Document,
        schedule_id -> Uid,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
        slot_step_minutes -> Nullable<Integer>,
        booking_policy_id -> Nullable<Uid>,
        category_id -> Nullable<Uid>,
        hidden -> Bool,
        sort_order -> Integer,
        pay_deposit -> Bool,
        pay_pricing_plan -> Bool,
        details -> Document,
        locations -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    service_slugs (site_id, slug) {
        site_id -> Uid,
        slug -> Text,
        service_id -> Uid,
        custom -> Bool,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    categories (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        name -> Text,
        sort_order -> Integer,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    booking_policies (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        name -> Text,
        is_default -> Bool,
        rules -> Document,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    service_options (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        service_id -> Uid,
        options -> Document,
        variants -> Document,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    opening_hours (site_id, owner_id) {
        site_id -> Uid,
        owner_id -> Uid,
        hours -> Nullable<Document>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    resources (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        resource_type -> Text,
        name -> Text,
        email -> Nullable<Text>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
        ranking -> Integer,
        bookable -> Bool,
        details -> Document,
        location_ids -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    resource_types (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        name -> Text,
        name_key -> Text,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    business_locations (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        name -> Text,
        is_default -> Bool,
        details -> Document,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    schedules (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        service_id -> Uid,
        name -> Text,
        capacity -> Integer,
        first_session_start -> Nullable<Instant>,
        last_session_end -> Nullable<Instant>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    sessions (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        schedule_id -> Uid,
        service_id -> Uid,
        title -> Text,
        local_start -> Text,
        local_end -> Text,
        time_zone -> Text,
        starts_at -> Instant,
        ends_at -> Instant,
        capacity -> Integer,
        status -> Text,
        resources -> Document,
        location -> Nullable<Document>,
        series_id -> Nullable<Uid>,
        original_start_local -> Nullable<Text>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        overrides -> Nullable<Document>,
        transparent -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    session_series (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        schedule_id -> Uid,
        service_id -> Uid,
        recurrence -> Text,
        template -> Document,
        materialized_until -> Nullable<Instant>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        cancelled_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    imported_events (site_id, event_key, occurrence) {
        site_id -> Uid,
        event_key -> Binary,
        occurrence -> Text,
        fingerprint -> Binary,
        series_id -> Nullable<Uid>,
        session_id -> Nullable<Uid>,
        block_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    blocked_times (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        resource_id -> Nullable<Uid>,
        starts_at -> Instant,
        ends_at -> Instant,
        reason -> Nullable<Text>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        transparent -> Bool,
        location_id -> Nullable<Uid>,
        overlap_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    bookings (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        status -> Text,
        payment_status -> Text,
        selected_payment_option -> Nullable<Text>,
        service_id -> Uid,
        kind -> Text,
        schedule_id -> Uid,
        session_id -> Nullable<Uid>,
        resource_id -> Nullable<Uid>,
        resources -> Document,
        starts_at -> Instant,
        ends_at -> Instant,
        buffer_minutes -> Integer,
        time_zone -> Text,
        location -> Nullable<Document>,
        title -> Text,
        total_participants -> Integer,
        participants_choices -> Nullable<Document>,
        double_booked -> Bool,
        hold_expires_at -> Nullable<Instant>,
        flow_control -> Document,
        external_user_id -> Nullable<Text>,
        created_by_kind -> Text,
        created_by_id -> Text,
        participant_notification -> Nullable<Document>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        canceled_at -> Nullable<Instant>,
        terms -> Nullable<Document>,
        multi_service_booking_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    booking_contacts (site_id, booking_id) {
        site_id -> Uid,
        booking_id -> Uid,
        email_key -> Nullable<Text>,
        details -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    claims (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        resource_id -> Nullable<Uid>,
        session_id -> Nullable<Uid>,
        schedule_id -> Nullable<Uid>,
        starts_at -> Instant,
        ends_at -> Instant,
        seats -> Integer,
        booking_id -> Nullable<Uid>,
        holder_session_id -> Nullable<Uid>,
        block_id -> Nullable<Uid>,
        hold_expires_at -> Nullable<Instant>,
        overlap_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    events (site_id, position) {
        site_id -> Uid,
        position -> BigInt,
        booking_id -> Uid,
        event_type -> Text,
        revision -> BigInt,
        previous_status -> Nullable<Text>,
        status -> Text,
        state_version -> Integer,
        state -> Document,
        actor_kind -> Text,
        actor_id -> Text,
        source -> Text,
        audience_kind -> Text,
        audience_id -> Text,
        service_id -> Uid,
        resource_ids -> Document,
        occurred_at -> Instant,
        touched -> Nullable<Document>,
        multi_service_booking_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    calendar_changes (site_id, position) {
        site_id -> Uid,
        position -> BigInt,
        touched -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    idempotency_records (site_id, caller, mutation, idempotency_key) {
        site_id -> Uid,
        caller -> Text,
        mutation -> Text,
        idempotency_key -> Text,
        input_hash -> Binary,
        outcome -> Text,
        created_at -> Instant,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::*;
    notifications (site_id, id) {
        site_id -> Uid,
        id -> Uid,
        booking_id -> Uid,
        kind -> Text,
        channel -> Text,
        message -> Nullable<Text>,
        state -> Text,
        created_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(imported_events, sessions);
diesel::allow_tables_to_appear_in_same_query!(imported_events, blocked_times);
diesel::allow_tables_to_appear_in_same_query!(
    bookings,
    booking_contacts,
    sessions,
    schedules,
    services,
    resources,
    claims,
    calendar_changes,
    events
);
