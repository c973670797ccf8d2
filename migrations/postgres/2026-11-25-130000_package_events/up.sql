-- The package that a booking was a part of when the event happened, or left by it, so that one package can be watched.
-- What happened before is told of the packages that there are now.
ALTER TABLE events ADD COLUMN multi_service_booking_id uuid;
UPDATE events SET multi_service_booking_id = bookings.multi_service_booking_id
    FROM bookings
    WHERE bookings.site_id = events.site_id AND bookings.id = events.booking_id AND bookings.multi_service_booking_id IS NOT NULL;
CREATE INDEX events_package ON events (site_id, multi_service_booking_id, position) WHERE multi_service_booking_id IS NOT NULL;
