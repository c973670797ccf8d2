DROP INDEX bookings_package;
ALTER TABLE bookings DROP COLUMN multi_service_booking_id;
