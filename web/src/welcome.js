// What a newcomer sees first. It must be valid for the schema, and answer something for a caller
// without a token.

export const WELCOME_QUERY = `# Welcome to Frontdesk.
#
# Everything here is one GraphQL API: queries read, mutations book,
# confirm, move and cancel, subscriptions tell you of changes at once.
#
# Run this first query with the play button, or with Ctrl-Enter: it says
# whose site this is and what can be booked. The book icon on the left
# opens the documentation of every type and field; Ctrl-Space completes.
#
# Without a token you are a visitor. Your first booking answers with a
# visitor token, which this page keeps for you. To act as the owner or as
# staff, put your token into the field at the top.

query Welcome {
  site {
    name
    timeZone
    currency
  }
  services(first: 5) {
    nodes {
      id
      name
      type
    }
  }
}
`;
