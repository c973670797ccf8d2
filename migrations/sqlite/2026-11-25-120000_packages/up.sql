-- Several bookings that are one visit: they share the id of their package. Null for a booking by itself.
ALTER TABLE bookings ADD COLUMN multi_service_booking_id blob;
CREATE INDEX bookings_package ON bookings (site_id, multi_service_booking_id) WHERE multi_service_booking_id IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('bookings', 'bookings_package', '20000 2000 3');
