//! Calendars of other programs.
