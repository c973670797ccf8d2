//! What has to do with the free times of a service: for whoever watches them.

use jiff::{Timestamp, ToSpan as _};

use super::{date, read::longest, window};
use crate::{
    domain::{
        Rejection,
        catalog::{Service as Offered, ServiceKind},
        event::{Matter, Touched},
        ids::{ResourceId, ServiceId},
        permission::Permission,
        time::TimeSpan,
    },
    service::{Caller, Error, Service, access},
    store::catalog,
};

/// A service whose free times are watched within a window.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The service as it is now.
    pub service: Offered,
    /// All that could serve it.
    resources: Vec<ResourceId>,
    window: TimeSpan,
}

impl Service {
    /// Finds out what has to do with the free times of a service from `from` to before `to`.
    pub async fn watch_availability(
        &self,
        caller: &Caller,
        service: ServiceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Watched, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let (from, _) = window(Some(from), to, self.clock().now())?;
        let window = TimeSpan::new(from, to).ok_or_else(|| date("to", "must be after `from`"))?;
        self.watched(caller, service, window).await
    }

    /// The same as before, as it is now.
    pub async fn watch_again(&self, caller: &Caller, before: &Watched) -> Result<Watched, Error> {
        self.watched(caller, before.service.id, before.window).await
    }

    async fn watched(&self, caller: &Caller, service: ServiceId, window: TimeSpan) -> Result<Watched, Error> {
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| {
                Box::pin(async move {
                    let Some(service) = catalog::find_live_service(conn, site, service).await? else {
                        return Ok(None);
                    };
                    let resources = catalog::candidate_ids(conn, site, &service.requirements).await?;
                    Ok(Some((service, resources)))
                })
            })
            .await?;
        let missing = || Rejection::invalid(&["serviceId"], "is no service of this business");
        let (service, resources) = found.ok_or_else(missing)?;
        Ok(Watched {
            service,
            resources,
            window,
        })
    }
}

impl Watched {
    /// The part of the window in which free times may be others after this was touched.
    #[must_use]
    pub fn part(&self, touched: &Touched, now: Timestamp) -> Option<TimeSpan> {
        let appointment = self.service.kind == ServiceKind::Appointment;
        let concerns = match touched.matter {
            Matter::Everything => true,
            Matter::Service(service) => service == self.service.id,
            // Sessions are offered whoever is busy otherwise.
            Matter::Resource(resource) => appointment && self.resources.contains(&resource),
        };
        let span = touched.span.unwrap_or(self.window);
        // A visit that begins earlier may reach into it.
        let reach = if appointment { longest(&self.service) } else { 0 };
        let starts = span
            .start()
            .checked_sub(i64::from(reach).minutes())
            .unwrap_or(span.start());
        let (starts, ends) = (
            starts.max(self.window.start()).max(now),
            span.end().min(self.window.end()),
        );
        TimeSpan::new(starts, ends).filter(|_| concerns)
    }

    /// Whether what has to do with the service may be other than it was.
    #[must_use]
    pub fn is_outdated_by(&self, touched: &Touched) -> bool {
        matches!(touched.matter, Matter::Everything) || touched.matter == Matter::Service(self.service.id)
    }
}
