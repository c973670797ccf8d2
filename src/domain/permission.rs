//! Who may do what: one table (`spec/catalog-availability.md` §8.5, `spec/bookings.md` §3.5). Every service call asks it.

use serde::{Deserialize, Serialize};

use super::actor::{Actor, Identity};
use super::booking::{Booked, Booking};
use super::ids::ResourceId;

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the site and what it offers: services, resources, schedules, sessions.
    ReadCatalog,
    /// See of resources what only the business knows, such as their hours.
    ReadResourceDetails,
    /// See the e-mail addresses and telephone numbers of resources that aren't for everybody.
    ReadResourceContact,
    /// Find services in lists that are hidden from customers.
    ListHiddenServices,
    /// Change services, resources, schedules, sessions, and the site's settings.
    ManageCatalog,
    /// See the times in which resources are blocked, and why.
    ReadCalendar,
    /// Block resources' time.
    ManageCalendar,
    /// Set when resources are open; with all of them, the business's hours, too.
    SetHours,
    /// See bookings and their events.
    ReadBookings,
    /// See whom bookings are for, who made and changed them, and what was written about them.
    ReadContacts,
    /// Make bookings.
    Book,
    /// Cancel and move bookings.
    ChangeBookings,
    /// Confirm, decline, mark as pending, change numbers: the business's side of bookings.
    ManageBookings,
    /// Use flags and statuses that pass over the rules for customers.
    OverrideRules,
    /// See, make and revoke API keys.
    ManageApiKeys,
    /// See all sites of the server and make new ones.
    ManageSites,
}

/// How far a permission goes on the caller's site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Nowhere.
    None,
    /// What the caller made itself.
    Own,
    /// What is on the staff member's calendar.
    Calendar,
    /// What is on the staff member's calendar, and what it made itself.
    OwnAndCalendar,
    /// Everything.
    All,
}

/// What an app was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    /// See bookings and their events, without the people.
    ReadBookings,
    /// See bookings with the people.
    ReadParticipants,
    /// Make, change and decide about bookings, and see all of them.
    ManageBookings,
    /// See blocked time.
    ReadCalendar,
    /// See and change blocked time.
    ManageCalendar,
    /// Change the catalog and the site's settings.
    ManageCatalog,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::ReadBookings,
        Self::ReadParticipants,
        Self::ManageBookings,
        Self::ReadCalendar,
        Self::ManageCalendar,
        Self::ManageCatalog,
    ];

    /// Its name, as tokens, keys and the command line write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadBookings => "READ_BOOKINGS",
            Self::ReadParticipants => "READ_PARTICIPANTS",
            Self::ManageBookings => "MANAGE_BOOKINGS",
            Self::ReadCalendar => "READ_CALENDAR",
            Self::ManageCalendar => "MANAGE_CALENDAR",
            Self::ManageCatalog => "MANAGE_CATALOG",
        }
    }

    /// The scope with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether a scope is among them.
    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Those that are in it, in the order in which they are declared.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | (1 << scope as u8)))
    }
}

/// A row of the table.
struct Row {
    visitor: Reach,
    member: Reach,
    staff: Reach,
    owner: Reach,
    /// Everything, with one of these scopes.
    app: &'static [Scope],
    operator: Reach,
}

impl Permission {
    /// The table.
    fn row(self) -> Row {
        use Reach::{All, Calendar, None, Own, OwnAndCalendar};
        use Scope::{ManageBookings, ManageCalendar, ManageCatalog, ReadBookings, ReadCalendar, ReadParticipants};
        let row = |visitor, member, staff, owner, app, operator| Row {
            visitor,
            member,
            staff,
            owner,
            app,
            operator,
        };
        #[expect(clippy::match_same_arms, reason = "a table has a row for each")]
        #[rustfmt::skip]
        let row = match self {
            //                               visitor member staff           owner app                                                 operator
            Self::ReadCatalog         => row(All,    All,   All,            All,  &Scope::ALL,                                        All),
            Self::ReadResourceDetails => row(None,   None,  All,            All,  &[ManageCatalog, ManageCalendar, ManageBookings],   None),
            Self::ReadResourceContact => row(None,   None,  Calendar,       All,  &[ManageCatalog, ManageCalendar, ManageBookings],   None),
            Self::ListHiddenServices  => row(None,   None,  All,            All,  &Scope::ALL,                                        All),
            Self::ManageCatalog       => row(None,   None,  None,           All,  &[ManageCatalog],                                   None),
            Self::ReadCalendar        => row(None,   None,  Calendar,       All,  &[ReadCalendar, ManageCalendar],                    None),
            Self::ManageCalendar      => row(None,   None,  Calendar,       All,  &[ManageCalendar],                                  None),
            Self::SetHours            => row(None,   None,  Calendar,       All,  &[ManageCatalog],                                   None),
            Self::ReadBookings        => row(Own,    Own,   OwnAndCalendar, All,  &[ReadBookings, ReadParticipants, ManageBookings],  None),
            Self::ReadContacts        => row(Own,    Own,   OwnAndCalendar, All,  &[ReadParticipants, ManageBookings],                None),
            Self::Book                => row(Own,    Own,   Own,            All,  &[ManageBookings],                                  None),
            Self::ChangeBookings      => row(Own,    Own,   OwnAndCalendar, All,  &[ManageBookings],                                  None),
            Self::ManageBookings      => row(None,   None,  Calendar,       All,  &[ManageBookings],                                  None),
            Self::OverrideRules       => row(None,   None,  Calendar,       All,  &[ManageBookings],                                  None),
            Self::ManageApiKeys       => row(None,   None,  None,           All,  &[],                                                All),
            Self::ManageSites         => row(None,   None,  None,           None, &[],                                                All),
        };
        row
    }

    /// How far it goes for an actor.
    #[must_use]
    pub fn reach(self, actor: &Actor) -> Reach {
        let row = self.row();
        match actor {
            Actor::Visitor(_) => row.visitor,
            Actor::Member(_) => row.member,
            Actor::Staff { .. } => row.staff,
            Actor::Owner(_) => row.owner,
            Actor::App { scopes, .. } if row.app.iter().any(|scope| scopes.contains(*scope)) => Reach::All,
            Actor::App { .. } => Reach::None,
            Actor::Operator(_) => row.operator,
            // Timers and sweeps act on their own.
            Actor::System => Reach::All,
        }
    }

    /// Whether there is anything that an actor may do by it.
    #[must_use]
    pub fn is_granted(self, actor: &Actor) -> bool {
        self.reach(actor) != Reach::None
    }

    /// Whether it covers a booking.
    #[must_use]
    pub fn covers(self, actor: &Actor, booking: &Booking) -> bool {
        self.covers_made_by(actor, &booking.created_by, &booking.booked)
    }

    /// Whether it covers what somebody booked.
    #[must_use]
    pub fn covers_made_by(self, actor: &Actor, made_by: &Identity, booked: &Booked) -> bool {
        let resources = || booked.resources.iter().map(|resource| resource.id);
        self.covers_subject(actor, made_by, resources)
    }

    /// Whether it covers something that somebody made and that is on the calendars of these resources.
    pub fn covers_subject<R>(self, actor: &Actor, made_by: &Identity, resources: impl FnOnce() -> R) -> bool
    where
        R: IntoIterator<Item = ResourceId>,
    {
        let own = || *made_by == actor.identity();
        match self.reach(actor) {
            Reach::None => false,
            Reach::Own => own(),
            Reach::Calendar => on_calendar(actor, resources()),
            Reach::OwnAndCalendar => on_calendar(actor, resources()) || own(),
            Reach::All => true,
        }
    }

    /// Whether it covers what is on the calendars of these resources, whoever made it.
    pub fn covers_resources(self, actor: &Actor, resources: impl IntoIterator<Item = ResourceId>) -> bool {
        match self.reach(actor) {
            Reach::None | Reach::Own => false,
            Reach::Calendar | Reach::OwnAndCalendar => on_calendar(actor, resources),
            Reach::All => true,
        }
    }

    /// What who never has it is told.
    #[must_use]
    pub fn refusal(self) -> &'static str {
        match self {
            Self::ReadCatalog => "the catalog is not for this caller",
            Self::ReadResourceDetails => "only the business may see its resources' details",
            Self::ReadResourceContact => "only the business may see how to reach its resources",
            Self::ListHiddenServices => "only the business finds hidden services in lists",
            Self::ManageCatalog => "only the owner and apps with the scope MANAGE_CATALOG may manage the catalog",
            Self::SetHours => "only the business may set its hours",
            Self::ReadCalendar | Self::ManageCalendar => "only the business may see and change its calendar",
            Self::ReadBookings | Self::ReadContacts => "bookings and the people on them are not for this caller",
            Self::Book | Self::ChangeBookings => "this caller may not make or change bookings",
            Self::ManageBookings | Self::OverrideRules => "only the business may do this to bookings",
            Self::ManageApiKeys => "only the owner and the operator may manage API keys",
            Self::ManageSites => "only the operator may see and make sites",
        }
    }
}

fn on_calendar(actor: &Actor, resources: impl IntoIterator<Item = ResourceId>) -> bool {
    let Actor::Staff { resource: own, .. } = actor else {
        return false;
    };
    resources.into_iter().any(|resource| resource == *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_names_that_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(scope));
            assert!(Scopes::all().contains(scope));
            assert!(!Scopes::default().contains(scope));
            assert_eq!(Scopes::from_iter([scope]).iter().collect::<Vec<_>>(), [scope]);
        }
    }

    #[test]
    fn an_app_may_what_its_scopes_say_and_nothing_without_one() {
        let app = |scopes| Actor::App {
            subject: "shop".to_owned(),
            scopes,
        };
        let reads = app(Scopes::from_iter([Scope::ReadBookings]));
        assert_eq!(Permission::ReadBookings.reach(&reads), Reach::All);
        for not in [Permission::ReadContacts, Permission::Book, Permission::ManageCatalog] {
            assert!(!not.is_granted(&reads), "{not:?}");
        }
        assert!(!Permission::ReadCatalog.is_granted(&app(Scopes::default())));
        assert!(
            !Permission::ManageApiKeys.is_granted(&app(Scopes::all())),
            "a key can't make keys"
        );
    }
}
