//! Inputs about the site.

use async_graphql::{InputObject, MaybeUndefined};

use super::{given, key};
use crate::{
    domain::ids::SiteId,
    graphql::{
        input::{Problems, Rejections},
        scalars::{CurrencyCode, TimeZone},
    },
    service::{catalog::Edit, sites::UpdateSite},
};

/// What changes of the site. What is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateSiteInput {
    /// The currency of its prices. It can't change while services have a price.
    currency: MaybeUndefined<CurrencyCode>,
    /// Refuse with `REVISION_MISMATCH` unless the site has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// The zone of its wall clock. What is on the calendar stays at its instants.
    time_zone: MaybeUndefined<TimeZone>,
}

impl UpdateSiteInput {
    pub(crate) fn parse(&self, site: SiteId) -> Result<UpdateSite, Rejections> {
        let mut problems = Problems::default();
        let idempotency = key(&mut problems, self, self.idempotency_key.as_ref());
        let name = given(&mut problems, "name", &self.name);
        let zone = given(&mut problems, "timeZone", &self.time_zone);
        let time_zone = problems.option("timeZone", zone.map(|zone| zone.zone()));
        let currency = given(&mut problems, "currency", &self.currency);
        let currency = problems.option("currency", currency.map(|code| code.currency()));
        let edit = Edit {
            id: site,
            expected_revision: self.expected_revision.map(i64::from),
            idempotency,
        };
        problems.finish(Some(UpdateSite {
            edit,
            name,
            time_zone,
            currency,
        }))
    }
}
