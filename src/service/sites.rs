//! Sites: made by the operator, seen by everybody on them.

use crate::{
    domain::{catalog::Site, ids::SiteId, money::Currency, time::ZoneName},
    service::{Caller, Error, Service},
    store::{Command, Failure, Tx, sites},
};

struct CreateSite {
    site: Site,
}

impl Command for CreateSite {
    type Output = Site;

    fn site(&self) -> SiteId {
        self.site.id
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Site, Failure> {
        sites::insert(tx.conn(), &self.site).await?;
        Ok(self.site.clone())
    }
}

impl Service {
    /// Makes a site. For the operator.
    pub async fn create_site(&self, slug: &str, name: &str, time_zone: ZoneName, currency: Currency) -> Result<Site, Error> {
        let now = self.clock().now();
        let site = Site {
            id: SiteId::new(),
            slug: crate::domain::text::slug(slug).map_err(|i| Error::Rejected(i.at("slug").into()))?,
            name: name.to_owned(),
            time_zone,
            currency,
            revision: 1,
            created: now,
            updated: now,
        };
        Ok(self.db().write(CreateSite { site }).await?)
    }

    /// The caller's site.
    pub async fn site(&self, caller: &Caller) -> Result<Option<Site>, Error> {
        let id = caller.site;
        Ok(self.db().read(move |conn| Box::pin(sites::find(conn, id))).await?)
    }

    /// The site with this slug.
    pub async fn site_by_slug(&self, slug: String) -> Result<Option<Site>, Error> {
        Ok(self.db().read(move |conn| Box::pin(async move { sites::find_by_slug(conn, &slug).await })).await?)
    }

    /// The oldest sites, at most `limit`.
    pub async fn sites(&self, limit: i64) -> Result<Vec<Site>, Error> {
        Ok(self.db().read(move |conn| Box::pin(sites::list(conn, limit))).await?)
    }

    /// The services with these ids, deleted ones too.
    pub async fn services_by_id(&self, caller: &Caller, ids: Vec<crate::domain::ids::ServiceId>) -> Result<Vec<crate::domain::catalog::Service>, Error> {
        let site = caller.site;
        Ok(self.db().read(move |conn| Box::pin(async move { crate::store::catalog::find_services(conn, site, &ids).await })).await?)
    }
}
