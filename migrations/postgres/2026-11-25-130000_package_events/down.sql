DROP INDEX events_package;
ALTER TABLE events DROP COLUMN multi_service_booking_id;
