DROP TABLE notifications, idempotency_records, events, claims, booking_contacts, bookings, blocked_times, sessions,
    schedules, resources, services, site_counters, sites;
