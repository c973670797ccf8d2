DROP TABLE imported_events;
