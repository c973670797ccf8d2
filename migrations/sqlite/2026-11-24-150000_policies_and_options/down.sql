ALTER TABLE bookings DROP COLUMN terms;
DROP INDEX services_booking_policy;
ALTER TABLE services DROP COLUMN booking_policy_id;
DROP TABLE service_options;
DROP TABLE booking_policies;
