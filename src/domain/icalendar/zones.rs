//! Which zone a `TZID` means.

use std::collections::BTreeMap;

use super::{problem::Reason, tree::Component, vtimezone::Described, windows};
use crate::domain::time::ZoneName;

/// The zones of one calendar of a file.
pub(super) struct Zones<'a> {
    described: BTreeMap<&'a str, &'a Component>,
    found: BTreeMap<String, Result<ZoneName, Reason>>,
    site: &'a ZoneName,
}

impl<'a> Zones<'a> {
    /// The zones that the calendar describes. `site` is preferred where several zones fit.
    pub(super) fn new(calendar: &'a Component, site: &'a ZoneName) -> Self {
        let described = calendar
            .parts("VTIMEZONE")
            .filter_map(|zone| Some((zone.first("TZID")?.value.trim(), zone)))
            .collect();
        Self {
            described,
            found: BTreeMap::new(),
            site,
        }
    }

    /// How many zones had to be looked for, known or not.
    pub(super) fn found(&self) -> usize {
        self.found.len()
    }

    /// The zone of a `TZID`: by its own name, its Windows name, the place that the file gives it, or by rules that are
    /// those of a zone in the years from `year` on.
    pub(super) fn zone(&mut self, tzid: &str, year: i16) -> Result<ZoneName, Reason> {
        let tzid = tzid.trim();
        if let Some(zone) = known(tzid) {
            return Ok(zone);
        }
        if !self.found.contains_key(tzid) && self.found.len() > super::MAX_ZONES {
            return Err(Reason::TooManyZones);
        }
        let named = || tzid.chars().take(100).collect::<String>();
        let found = self.found.entry(tzid.to_owned()).or_insert_with(|| {
            let zone = self.described.get(tzid).ok_or_else(|| Reason::UnknownZone(named()))?;
            zone.first("X-LIC-LOCATION")
                .and_then(|place| known(place.value.trim()))
                .or_else(|| Described::read(zone)?.zone(year, self.site))
                .ok_or_else(|| Reason::UnmatchedZone(named()))
        });
        found.clone()
    }
}

/// A zone by its name alone.
pub(super) fn known(name: &str) -> Option<ZoneName> {
    // No name is as long; and the search for a tail below would take its time over one.
    if name.len() > 200 {
        return None;
    }
    if name.eq_ignore_ascii_case("tzone://Microsoft/Utc") || name == "Z" {
        return Some(ZoneName::utc());
    }
    ZoneName::parse(name).or_else(|| windows::zone(name)).or_else(|| {
        // Some programs put a path in front: `/example.org/20260101_1/Europe/Berlin`.
        let path = name.strip_prefix('/')?;
        let tails = path.match_indices('/').filter_map(|(slash, _)| path.get(slash + 1..));
        tails.filter(|tail| tail.contains('/')).find_map(ZoneName::parse)
    })
}
