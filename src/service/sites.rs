//! Sites: made by the operator, changed by their owners.

use super::{
    Caller, Error, IdempotencyKey, Service,
    access::Right,
    catalog::{Edit, check_revision},
};
use crate::{
    domain::{
        Rejection,
        catalog::Site,
        ids::{Kind, SiteId},
        money::Currency,
        text,
        time::ZoneName,
    },
    store::{Command, Failure, Tx, catalog, sites},
};

/// A site that is to be made.
#[derive(Debug, Clone)]
pub struct CreateSite {
    /// The name by which visitors' browsers name it.
    pub slug: String,
    /// Its name.
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
    id: SiteId,
    input: CreateSite,
    /// Whether any site that is there already will do instead.
    unless_there_is_one: bool,
}

impl Command for Create {
    type Output = Site;

    fn site(&self) -> SiteId {
        self.id
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Site, Failure> {
        if self.unless_there_is_one
            && let Some(first) = sites::list(tx.conn(), 1).await?.pop()
        {
            return Ok(first);
        }
        let now = tx.now();
        let input = self.input.clone();
        let site = Site {
            id: self.id,
            slug: input.slug,
            name: input.name,
            time_zone: input.time_zone,
            currency: input.currency,
            revision: 1,
            created: now,
            updated: now,
        };
        check(&site)?;
        sites::insert(tx.conn(), &site).await?;
        Ok(site)
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
            if catalog::has_prices(tx.conn(), id).await? {
                let message = "can't change while services have prices in the present one";
                return Err(Rejection::invalid(&["currency"], message).into());
            }
            site.currency = currency;
        }
        check(&site)?;
        site.revision += 1;
        site.updated = tx.now();
        sites::save(tx.conn(), &site).await?;
        Ok(site)
    }
}

impl Service {
    /// Makes a site. For the operator: no caller of the API may.
    pub async fn create_site(&self, input: CreateSite) -> Result<Site, Error> {
        let command = Create { id: SiteId::new(), input, unless_there_is_one: false };
        Ok(self.db().write(command).await?)
    }

    /// The first site, which is made if there is none.
    pub async fn ensure_default_site(&self, time_zone: ZoneName, currency: Currency) -> Result<Site, Error> {
        let input =
            CreateSite { slug: DEFAULT_SLUG.to_owned(), name: "Frontdesk".to_owned(), time_zone, currency };
        let command = Create { id: SiteId::new(), input, unless_there_is_one: true };
        match self.db().write(command).await {
            Ok(site) => Ok(site),
            // Another server that starts at the same time was faster.
            Err(Failure::Rejected(Rejection::AlreadyExists { .. })) => {
                let found = self.db().read(|conn| Box::pin(sites::find_by_slug(conn, DEFAULT_SLUG))).await?;
                found.ok_or_else(|| Rejection::not_found(Kind::Site, &[]).into())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// The caller's site.
    pub async fn site(&self, caller: &Caller) -> Result<Option<Site>, Error> {
        let id = caller.site;
        Ok(self.db().read(move |conn| Box::pin(sites::find(conn, id))).await?)
    }

    /// Changes the caller's site.
    pub async fn update_site(&self, caller: &Caller, mut input: UpdateSite) -> Result<Site, Error> {
        Right::ManageCatalog.require(caller)?;
        let key: Option<IdempotencyKey> = input.edit.idempotency.take();
        input.edit.id = caller.site;
        self.once(caller, "updateSite", key, Update { input }).await
    }
}
