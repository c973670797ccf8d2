//! Filters and orders of services.

use async_graphql::{Enum, ID, InputObject};

use super::filter::{
    BooleanFilter, DateTimeFilter, IdFilter, IntFilter, MAX_VALUES, OrderDirection, ServiceTypeFilter, StringFilter,
    camel, check_depth, ids, join, read_id,
};
use super::service::ServiceType;
use crate::{
    domain::{
        ids::{LocationId, ResourceId, ServiceId, TypedId},
        rejection::{Field, Invalid},
        text,
    },
    graphql::{
        connection::{cursor, open_cursor},
        scalars::DateTime,
    },
    store::{
        catalog::{self, ServiceField, ServiceFilter as Tests, ServiceKey},
        page::{Direction, Filter, Test},
    },
};

/// Tests of a list of ids. All given ones must be met.
#[derive(Debug, Clone, InputObject)]
pub struct IdListFilter {
    /// All of these are in it. At most 100.
    pub has_all: Option<Vec<ID>>,
    /// At least one of these is in it. At most 100.
    pub has_some: Option<Vec<ID>>,
}

/// Tests of a name, letter for letter. All given ones must be met.
#[derive(Debug, Clone, InputObject)]
pub struct NameFilter {
    /// Equal to this.
    pub eq: Option<String>,
    /// One of these. At most 100.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<String>>,
    /// Not equal to this.
    pub ne: Option<String>,
    /// None of these. At most 100.
    #[graphql(name = "nin")]
    pub none_of: Option<Vec<String>>,
    /// It begins with this.
    pub starts_with: Option<String>,
}

/// Tests of the ways in which a service can be paid for. All given ones must be met.
#[derive(Debug, Clone, InputObject)]
pub struct PaymentOptionsFilter {
    /// Whether a deposit is paid online, and the rest later.
    pub deposit: Option<BooleanFilter>,
    /// Whether it can be paid at the business.
    pub in_person: Option<BooleanFilter>,
    /// Whether it can be paid online.
    pub online: Option<BooleanFilter>,
    /// Whether it can be paid with a pricing plan.
    pub pricing_plan: Option<BooleanFilter>,
}

/// Which services are wanted. All given tests must be met; `and`, `or` and `not` nest up to 8 deep.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ServiceFilter {
    /// All of these. At most 100.
    pub and: Option<Vec<ServiceFilter>>,
    /// The category that it is in.
    pub category_id: Option<IdFilter>,
    /// When it was made.
    pub created_date: Option<DateTimeFilter>,
    /// Whether it is in a category.
    pub has_category: Option<bool>,
    /// Whether it is hidden from customers, who find none of those.
    pub hidden: Option<BooleanFilter>,
    /// Its id.
    pub id: Option<IdFilter>,
    /// Those with these ids: short for `id` with `in`. At most 100.
    pub ids: Option<Vec<ID>>,
    /// The locations of the business at which it is given.
    pub location_ids: Option<IdListFilter>,
    /// Its name.
    pub name: Option<NameFilter>,
    /// Not this.
    pub not: Option<Box<ServiceFilter>>,
    /// Whether customers can book it online.
    pub online_booking_enabled: Option<BooleanFilter>,
    /// At least one of these. At most 100.
    pub or: Option<Vec<ServiceFilter>>,
    /// How it can be paid for.
    pub payment_options: Option<PaymentOptionsFilter>,
    /// Who and what an appointment can need: staff and rooms. Classes and courses have none; their sessions do.
    pub resource_ids: Option<IdListFilter>,
    /// Its present slug.
    pub slug: Option<StringFilter>,
    /// Its place in its category.
    pub sort_order: Option<IntFilter>,
    /// Its type.
    #[graphql(name = "type")]
    pub service_type: Option<ServiceTypeFilter>,
    /// Those of these types: short for `type` with `in`.
    pub types: Option<Vec<ServiceType>>,
    /// When it changed last.
    pub updated_date: Option<DateTimeFilter>,
}

impl NameFilter {
    fn tests(self) -> Result<Tests, Invalid> {
        let start = self.starts_with.map(|start| {
            let start = text::bounded(&start, 400).map_err(|invalid| invalid.at("startsWith"))?;
            Ok(Filter::Is(ServiceField::NameStartsWith(start)))
        });
        let rest = StringFilter {
            eq: self.eq,
            one_of: self.one_of,
            ne: self.ne,
            none_of: self.none_of,
        };
        let mut all = vec![rest.tests(|value| text::bounded(&value, 400), ServiceField::Name)?];
        all.extend(start.transpose()?);
        Ok(Filter::All(all))
    }
}

impl IdListFilter {
    fn tests<I: TypedId>(self, field: fn(I) -> ServiceField) -> Result<Tests, Invalid> {
        let mut all = Vec::new();
        for (name, ids) in [("hasAll", self.has_all), ("hasSome", self.has_some)] {
            let Some(ids) = ids else { continue };
            if ids.len() > MAX_VALUES {
                return Err(Invalid::new(Field::Other, "must have at most 100 entries").at(name));
            }
            let is = |id: &ID| Ok(Filter::Is(field(read_id::<I>(id)?)));
            let tests = ids.iter().map(is).collect::<Result<Vec<_>, Invalid>>();
            let tests = tests.map_err(|invalid| invalid.at(name))?;
            all.push(if name == "hasAll" {
                Filter::All(tests)
            } else {
                Filter::Any(tests)
            });
        }
        Ok(Filter::All(all))
    }
}

impl PaymentOptionsFilter {
    fn tests(self) -> Tests {
        let parts = [
            self.deposit.map(|filter| filter.tests(ServiceField::PayDeposit)),
            self.in_person.map(|filter| filter.tests(ServiceField::PayInPerson)),
            self.online.map(|filter| filter.tests(ServiceField::PayOnline)),
            self.pricing_plan
                .map(|filter| filter.tests(ServiceField::PayPricingPlan)),
        ];
        Filter::All(parts.into_iter().flatten().flatten().collect())
    }
}

impl ServiceFilter {
    /// The tests.
    pub fn parse(self) -> Result<Tests, Invalid> {
        self.nested(0)
    }

    fn nested(self, depth: usize) -> Result<Tests, Invalid> {
        check_depth(depth)?;
        let mut all: Vec<Tests> = Vec::new();
        macro_rules! test {
            ($($name:ident => $field:ident by $read:expr;)*) => {
                $(if let Some(filter) = self.$name {
                    let tests = filter.tests($read, ServiceField::$field);
                    all.push(tests.map_err(|invalid| invalid.at(camel(stringify!($name))))?);
                })*
            };
        }
        test! {
            id => Id by |value| read_id(&value);
            category_id => Category by |value| read_id(&value);
            slug => Slug by |value: String| text::bounded(&value, 400);
            sort_order => SortOrder by Ok;
            created_date => Created by |value: DateTime| value.instant(None);
            updated_date => Updated by |value: DateTime| value.instant(None);
        }
        if let Some(filter) = self.service_type {
            let tests = filter.tests(|value| Ok(value.into()), ServiceField::Kind);
            all.push(tests.map_err(|invalid| invalid.at("type"))?);
        }
        if let Some(wanted) = self.ids {
            let ids = ids::<ServiceId>("ids", &wanted)?;
            all.push(Filter::Is(ServiceField::Id(Test::In(ids))));
        }
        if let Some(types) = self.types {
            let kinds = types.into_iter().map(Into::into).collect();
            all.push(Filter::Is(ServiceField::Kind(Test::In(kinds))));
        }
        if let Some(name) = self.name {
            all.push(name.tests().map_err(|invalid| invalid.at("name"))?);
        }
        if let Some(resources) = self.resource_ids {
            let tests = resources.tests::<ResourceId>(ServiceField::Resource);
            all.push(tests.map_err(|invalid| invalid.at("resourceIds"))?);
        }
        if let Some(locations) = self.location_ids {
            let tests = locations.tests::<LocationId>(ServiceField::Location);
            all.push(tests.map_err(|invalid| invalid.at("locationIds"))?);
        }
        if let Some(yes) = self.has_category {
            all.push(Filter::Is(ServiceField::HasCategory(yes)));
        }
        if let Some(filter) = self.hidden {
            all.extend(filter.tests(ServiceField::Hidden));
        }
        if let Some(filter) = self.online_booking_enabled {
            all.extend(filter.tests(ServiceField::OnlineBookingEnabled));
        }
        if let Some(filter) = self.payment_options {
            all.push(filter.tests());
        }
        join(&mut all, self.and, self.or, self.not, |part| part.nested(depth + 1))?;
        Ok(Filter::All(all))
    }
}

/// By what services can be sorted; the id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ServiceOrderField {
    /// When it was made.
    CreatedDate,
    /// Its place in its category.
    SortOrder,
    /// When it changed last.
    UpdatedDate,
}

/// How services are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct ServiceOrder {
    /// Which way.
    pub direction: OrderDirection,
    /// By what.
    pub field: ServiceOrderField,
}

impl ServiceOrder {
    /// The field and the direction; the oldest first if nothing was said.
    #[must_use]
    pub fn parse(order: Option<Self>) -> (catalog::ServiceOrder, Direction) {
        order.map_or((catalog::ServiceOrder::Created, Direction::Asc), Self::read)
    }

    /// The same within a category: by the place in it if nothing was said.
    #[must_use]
    pub fn in_category(order: Option<Self>) -> (catalog::ServiceOrder, Direction) {
        order.map_or((catalog::ServiceOrder::SortOrder, Direction::Asc), Self::read)
    }

    fn read(self) -> (catalog::ServiceOrder, Direction) {
        let field = match self.field {
            ServiceOrderField::CreatedDate => catalog::ServiceOrder::Created,
            ServiceOrderField::SortOrder => catalog::ServiceOrder::SortOrder,
            ServiceOrderField::UpdatedDate => catalog::ServiceOrder::Updated,
        };
        (field, self.direction.into())
    }
}

/// The opaque cursor of a place in a list of services; good for the order that it was made in.
#[must_use]
pub fn service_cursor(key: &ServiceKey, order: catalog::ServiceOrder) -> String {
    cursor(&format!("{order:?}:{}:{}", key.value, key.id))
}

/// The place in a cursor of a list in this order.
#[must_use]
pub fn service_key(text: &str, order: catalog::ServiceOrder) -> Option<ServiceKey> {
    let content = open_cursor(text)?;
    let (name, rest) = content.split_once(':')?;
    let (value, id) = rest.split_once(':')?;
    if name != format!("{order:?}") {
        return None;
    }
    Some(ServiceKey {
        value: value.parse().ok()?,
        id: ServiceId::parse(id).ok()?,
    })
}
