// What every client asks; Relay's compiler has its own copy in relay/operations.js.

export const sessions = `query Sessions {
  eventCursor
  services(first: 50) { nodes { id sessions(first: 50) { nodes { id startDate remainingCapacity } } } }
}`;

export const create = `mutation Create($input: CreateBookingInput!) {
  createBooking(input: $input) { booking { id revision } userErrors { code message } }
}`;

export const cancel = `mutation Cancel($input: CancelBookingInput!) {
  cancelBooking(input: $input) { booking { id status } userErrors { code message } }
}`;

export const events = `subscription Events($after: String) {
  bookingEvents(after: $after) { cursor type booking { id status } }
}`;
