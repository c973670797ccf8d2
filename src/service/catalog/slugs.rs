//! The names of services in addresses: whether one can be had.

use crate::{
    domain::{
        Rejection,
        ids::{ServiceId, SiteId},
        permission::Permission,
        text::{self, SlugProblem},
    },
    service::{Caller, Error, Service, access},
    store::{Conn, StoreError, catalog as store},
};

/// What speaks against a slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlugVerdict {
    /// The slug.
    pub slug: String,
    /// What is wrong with its form.
    pub problems: Vec<SlugProblem>,
    /// Whether it leads to another service.
    pub taken: bool,
}

/// Whether a slug leads to a service, now or from before, other than the one that is to have it.
pub(super) async fn is_taken(
    conn: &mut Conn,
    site: SiteId,
    slug: &str,
    own: Option<ServiceId>,
) -> Result<bool, StoreError> {
    let found = store::find_service_by_slug(conn, site, slug).await?;
    Ok(found.is_some_and(|found| Some(found.id) != own))
}

impl Service {
    /// Whether a service could have a slug: the one that is named, or a new one.
    pub async fn validate_service_slug(
        &self,
        caller: &Caller,
        slug: String,
        of: Option<ServiceId>,
    ) -> Result<SlugVerdict, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, problems, wanted) = (caller.site, text::slug_problems(&slug), slug.clone());
        let sound = problems.is_empty();
        let found = self.db().read(move |conn| {
            Box::pin(async move {
                if let Some(id) = of
                    && store::find_live_service(conn, site, id).await?.is_none()
                {
                    return Ok(None);
                }
                // What no slug looks like, nobody has.
                let taken = sound && is_taken(conn, site, &wanted, of).await?;
                Ok(Some(taken))
            })
        });
        match found.await? {
            Some(taken) => Ok(SlugVerdict { slug, problems, taken }),
            None => Err(Rejection::invalid(&["serviceId"], "is no service of this business").into()),
        }
    }
}
