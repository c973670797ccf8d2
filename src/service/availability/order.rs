//! The order in which a service takes those who are free.

use jiff::Timestamp;

use super::facts::Facts;
use crate::domain::{
    availability::Choice,
    catalog::{Resource, ResourceType, Service as Offered, StaffSorting},
    ids::{BookingId, ResourceId, TypedId as _},
};

/// Sorts staff, who stand as the service names them, into the order in which the service takes them. Lots are drawn for
/// one booking: its id is drawn before the act begins, so that an act that is run again draws the same. As long as there
/// is no booking, those who stand in line for a lot are told by name.
pub(in crate::service) fn sort_staff(staff: &mut [&Resource], sorting: StaffSorting, holder: Option<BookingId>) {
    let choice = match (sorting, holder) {
        (StaffSorting::Named, _) => return,
        (StaffSorting::Ranking(rank), _) => Choice::Ranking(rank),
        (StaffSorting::Random, Some(holder)) => {
            let (high, low) = holder.uuid().as_u64_pair();
            Choice::Random { seed: high ^ low }
        }
        (StaffSorting::Random, None) => {
            staff.sort_by(|one, other| one.name.cmp(&other.name).then(one.id.cmp(&other.id)));
            return;
        }
    };
    choice.sort_by(Timestamp::UNIX_EPOCH, staff, |one| (one.ranking, one.id));
}

/// In which order a service takes those who are free, as long as there is no booking: first who is asked for.
pub(super) fn order(facts: &Facts, service: &Offered, wishes: &[(usize, Vec<ResourceId>)]) -> Vec<ResourceId> {
    let mut order: Vec<ResourceId> = Vec::new();
    for (requirement, needed) in facts.requirements(service).iter().enumerate() {
        let asked = wishes.iter().filter(|(at, _)| *at == requirement);
        let asked: Vec<ResourceId> = asked.flat_map(|(_, ids)| ids).copied().collect();
        let mut others: Vec<&Resource> = needed.ids.iter().filter_map(|id| facts.resource(*id)).collect();
        if needed.kind == ResourceType::Staff {
            sort_staff(&mut others, service.staff_sorting, None);
        }
        order.extend(asked);
        order.extend(others.iter().map(|resource| resource.id));
    }
    order
}
