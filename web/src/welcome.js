// What a newcomer sees first. It must be valid for the schema, and answer something for a caller
// without a token.

export const WELCOME_QUERY = `# Welcome to Frontdesk. Run this query with the
# play button or Ctrl-Enter: it says whose site
# this is, and what can be booked there.
#
# The book icon on the left explains every type
# and field; Ctrl-Space completes what you type.
#
# Without a token you are a visitor, and your
# first booking gives you a visitor token. Owners
# and staff put their token in the field on top.

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
