// A Frontdesk client: queries and mutations over HTTP, subscriptions over one WebSocket.

import { Client, fetchExchange, subscriptionExchange, type AnyVariables } from '@urql/core';
import { createClient as createSocket, type Client as Socket } from 'graphql-ws';
import WebSocket from 'ws';

/** Who the client is: a bearer token, or a visitor's token, or nobody yet. */
export interface Credentials {
  bearer?: string;
  visitorToken?: string;
  site?: string;
}

function headers({ bearer, visitorToken, site }: Credentials): Record<string, string> {
  return {
    ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
    ...(visitorToken ? { 'Frontdesk-Visitor-Token': visitorToken } : {}),
    ...(site ? { 'Frontdesk-Site': site } : {}),
  };
}

/** Connects to `url`, such as `http://127.0.0.1:8080/graphql`. Dispose of the socket when done. */
export function connect(url: string, credentials: Credentials): { client: Client; socket: Socket } {
  const socket = createSocket({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    // A WebSocket in a browser can't send headers, so the same names go into its first message.
    connectionParams: headers(credentials),
  });
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchOptions: { headers: headers(credentials) },
    requestPolicy: 'network-only',
    exchanges: [
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query: request.query ?? '', variables: request.variables }, sink),
          }),
        }),
      }),
      fetchExchange,
    ],
  });
  return { client, socket };
}

/** Runs a mutation of the form `name(input)`; throws on errors and on user errors. */
export async function mutate<T>(client: Client, name: string, input: AnyVariables, selection: string): Promise<T> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation($input: ${type}!) { ${name}(input: $input) { ${selection} userErrors { code message path } } }`;
  const { data, error } = await client.mutation(document, { input }).toPromise();
  if (error) throw error;
  const payload = data[name];
  if (payload.userErrors.length > 0) throw new Error(`${name}: ${JSON.stringify(payload.userErrors)}`);
  return payload as T;
}
