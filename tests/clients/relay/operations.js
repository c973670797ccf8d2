// What Relay's compiler reads; its artifacts are what runs.
import { graphql } from 'relay-runtime';

export const sessions = graphql`
  query operationsSessionsQuery {
    eventCursor
    services(first: 50) {
      nodes {
        id
        sessions(first: 50) {
          nodes {
            id
            startDate
            remainingCapacity
          }
        }
      }
    }
  }
`;

export const create = graphql`
  mutation operationsCreateMutation($input: CreateBookingInput!) {
    createBooking(input: $input) {
      booking {
        id
        revision
      }
      userErrors {
        __typename
        code
        message
      }
    }
  }
`;

export const cancel = graphql`
  mutation operationsCancelMutation($input: CancelBookingInput!) {
    cancelBooking(input: $input) {
      booking {
        id
        status
      }
      userErrors {
        __typename
        code
        message
      }
    }
  }
`;

export const events = graphql`
  subscription operationsEventsSubscription($after: String) {
    bookingEvents(after: $after) {
      cursor
      type
      booking {
        id
        status
      }
    }
  }
`;
