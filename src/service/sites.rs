//! Sites: made by the operator, changed by their owners, seen by everybody on them.

use super::{
    Caller, Error, IdempotencyKey, Service, access,
    catalog::{Edit, check_revision},
};
use crate::{
    domain::{
        Rejection,
        catalog::Site,
        event::Matter,
        ids::{Kind, SiteId},
        money::Currency,
        permission::Permission,
        text,
        time::ZoneName,
    },
    store::{
        Command, Failure, Tx,
        catalog::{self, TimeKey},
        page::{Page, PageRequest},
        sites,
    },
};

/// A site that is to be made.
#[derive(Debug, Clone)]
pub struct CreateSite {
    /// The name by which visitors' browsers name it.
    pub slug: String,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The zone of its wall clock.
    pub time_zone: ZoneName,
    /// The currency of its prices.
    pub currency: Currency,
}

/// Changes of a site.
#[derive(Debug, Clone)]
pub struct UpdateSite {
    /// How. The site is the caller's own.
    pub edit: Edit<SiteId>,
    /// Its name.
    pub name: Option<String>,
    /// The zone of its wall clock.
    pub time_zone: Option<ZoneName>,
    /// The currency of its prices.
    pub currency: Option<Currency>,
}

/// The slug of the site that an empty database gets.
const DEFAULT_SLUG: &str = "default";

fn check(site: &Site) -> Result<(), Rejection> {
    text::slug(&site.slug).map_err(|invalid| invalid.at("slug"))?;
    text::required(&site.name, 200).map_err(|invalid| invalid.at("name"))?;
    Ok(())
}

struct Create {
    site: Site,
    /// Whether any site that is there already will do instead.
    unless_there_is_one: bool,
}

impl Command for Create {
    type Output = Site;

    fn site(&self) -> SiteId {
        self.site.id
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Site, Failure> {
        if self.unless_there_is_one
            && let Some(first) = sites::list(tx.conn(), 1).await?.pop()
        {
            return Ok(first);
        }
        check(&self.site)?;
        sites::insert(tx.conn(), &self.site).await?;
        Ok(self.site.clone())
    }
}

struct Update {
    input: UpdateSite,
}

impl Command for Update {
    type Output = Site;

    fn site(&self) -> SiteId {
        self.input.edit.id
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Site, Failure> {
        let input = &self.input;
        sites::lock(tx).await?;
        let id = tx.site();
        let missing = || Rejection::not_found(Kind::Site, &[]);
        let mut site = sites::find(tx.conn(), id).await?.ok_or_else(missing)?;
        check_revision(Kind::Site, site.revision, input.edit.expected_revision)?;
        if let Some(name) = &input.name {
            site.name.clone_from(name);
        }
        if let Some(zone) = &input.time_zone {
            site.time_zone = zone.clone();
        }
        if let Some(currency) = input.currency.filter(|currency| *currency != site.currency) {
            if catalog::has_prices(tx.conn(), id).await? || catalog::has_options(tx.conn(), id).await? {
                let message = "can't change while services have prices in the present one";
                return Err(Rejection::invalid(&["currency"], message).into());
            }
            site.currency = currency;
        }
        check(&site)?;
        site.revision += 1;
        site.updated = tx.now();
        sites::save(tx.conn(), &site).await?;
        if input.time_zone.is_some() {
            tx.touch(Matter::Everything, None);
        }
        Ok(site)
    }
}

impl Service {
    /// Makes a site for a caller that may.
    pub async fn add_site(
        &self,
        caller: &Caller,
        input: CreateSite,
        key: Option<IdempotencyKey>,
    ) -> Result<Site, Error> {
        access::require(Permission::ManageSites, caller)?;
        let site = self.new_site(&input.slug, &input.name, input.time_zone, input.currency);
        let create = Create {
            site,
            unless_there_is_one: false,
        };
        // It belongs to no site yet, whichever one the caller named.
        let nowhere = Caller {
            site: SiteId::NONE,
            ..caller.clone()
        };
        self.once(&nowhere, "createSite", key, create).await
    }

    /// A page of all sites.
    pub async fn all_sites(&self, caller: &Caller, request: PageRequest<TimeKey<SiteId>>) -> Result<Page<Site>, Error> {
        access::require(Permission::ManageSites, caller)?;
        let page = self
            .db()
            .read(move |conn| Box::pin(async move { sites::page(conn, &request).await }));
        Ok(page.await?)
    }

    /// How many sites there are.
    pub async fn count_sites(&self, caller: &Caller) -> Result<i64, Error> {
        access::require(Permission::ManageSites, caller)?;
        Ok(self.db().read(move |conn| Box::pin(sites::number(conn))).await?)
    }

    /// Makes a site, for whoever runs the server.
    pub async fn create_site(
        &self,
        slug: &str,
        name: &str,
        time_zone: ZoneName,
        currency: Currency,
    ) -> Result<Site, Error> {
        let site = self.new_site(slug, name, time_zone, currency);
        Ok(self
            .db()
            .write(Create {
                site,
                unless_there_is_one: false,
            })
            .await?)
    }

    /// The first site, which is made if there is none.
    pub async fn ensure_default_site(
        &self,
        name: &str,
        time_zone: ZoneName,
        currency: Currency,
    ) -> Result<Site, Error> {
        let site = self.new_site(DEFAULT_SLUG, name, time_zone, currency);
        match self
            .db()
            .write(Create {
                site,
                unless_there_is_one: true,
            })
            .await
        {
            Ok(site) => Ok(site),
            // Another server that started at the same time was faster.
            Err(Failure::Rejected(Rejection::AlreadyExists { .. })) => self
                .site_by_slug(DEFAULT_SLUG.to_owned())
                .await?
                .ok_or_else(|| Rejection::not_found(Kind::Site, &[]).into()),
            Err(failure) => Err(failure.into()),
        }
    }

    fn new_site(&self, slug: &str, name: &str, time_zone: ZoneName, currency: Currency) -> Site {
        let now = self.clock().now();
        Site {
            id: SiteId::new(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            time_zone,
            currency,
            revision: 1,
            created: now,
            updated: now,
        }
    }

    /// The site with this slug.
    pub async fn site_by_slug(&self, slug: String) -> Result<Option<Site>, Error> {
        Ok(self
            .db()
            .read(move |conn| Box::pin(async move { sites::find_by_slug(conn, &slug).await }))
            .await?)
    }

    /// The oldest sites, at most `limit`.
    pub async fn sites(&self, limit: i64) -> Result<Vec<Site>, Error> {
        Ok(self.db().read(move |conn| Box::pin(sites::list(conn, limit))).await?)
    }

    /// The caller's site.
    pub async fn site(&self, caller: &Caller) -> Result<Option<Site>, Error> {
        let id = caller.site;
        Ok(self.db().read(move |conn| Box::pin(sites::find(conn, id))).await?)
    }

    /// Changes the caller's site.
    pub async fn update_site(&self, caller: &Caller, mut input: UpdateSite) -> Result<Site, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key: Option<IdempotencyKey> = input.edit.idempotency.take();
        input.edit.id = caller.site;
        self.once(caller, "updateSite", key, Update { input }).await
    }
}
