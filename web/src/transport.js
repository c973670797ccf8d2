// How operations reach the server: queries and mutations by HTTP, subscriptions by a socket of
// their own on the same path. Knows nothing of the page.

import { getOperationAST } from 'graphql';
import { createClient } from 'graphql-ws';

import { asHeaders, onCredentialsChange } from './credentials.js';
import { offerVisitorToken } from './visitor-token.js';

const FORBIDDEN = 4403;
/** Reconnecting goes on for about a minute; then the subscription ends with an error. */
const ATTEMPTS = 15;

let status = 'idle';
const statusListeners = new Set();

/** Told to the user in the response pane, where a stack of bundled code helps nobody. */
class Trouble extends Error {
  stack = undefined;
}

/** How many subscriptions run. */
let subscriptions = 0;

/** The socket's state: `idle` (nobody subscribes), `connecting` or `live`. */
export function socketStatus() {
  return status;
}

export function onSocketStatus(listener) {
  statusListeners.add(listener);
  return () => statusListeners.delete(listener);
}

function setStatus(next) {
  status = next;
  for (const listener of [...statusListeners]) listener();
}

function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

let socket;

function socketFor(path) {
  // One for the page's whole life: it opens with the first subscription and closes after the last.
  socket ??= createClient({
    url: socketUrl(path),
    connectionParams: asHeaders,
    keepAlive: 20_000,
    retryAttempts: ATTEMPTS,
    // A refused token stays refused; everything else (a restart, a lost network) may pass.
    shouldRetry: (reason) => reason?.code !== FORBIDDEN,
    retryWait: (attempt) =>
      // The first one at once: that is how a changed token gets its new connection.
      new Promise((resolve) => {
        setTimeout(resolve, attempt === 0 ? 0 : Math.min(5_000, 250 * 2 ** attempt) * (0.75 + Math.random() / 2));
      }),
    on: {
      connecting: () => setStatus('connecting'),
      connected: () => setStatus('live'),
      // With a subscription still there, the client is about to come back.
      closed: () => setStatus(subscriptions > 0 ? 'connecting' : 'idle'),
    },
  });
  return socket;
}

onCredentialsChange(() => {
  // Credentials count at the start of a connection, so a running one is cut; the client comes
  // back with the new ones and subscribes again.
  socket?.terminate();
});

/** What GraphiQL calls for each operation, the introspection included. */
export function createFetcher(path) {
  return (params, options) => {
    const operation =
      options?.documentAST && getOperationAST(options.documentAST, params.operationName || undefined);
    return operation?.operation === 'subscription'
      ? subscribe(path, params)
      : request(path, params, options?.headers);
  };
}

async function request(path, params, extraHeaders) {
  const headers = new Headers(asHeaders());
  headers.set('Content-Type', 'application/json');
  headers.set('Accept', 'application/graphql-response+json, application/json;q=0.9');
  // What is written in the headers tab comes last: it is the more specific wish.
  for (const [name, value] of Object.entries(extraHeaders ?? {})) headers.set(name, String(value));

  let response;
  try {
    response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(params) });
  } catch (error) {
    throw new Trouble(`The server could not be reached (${error.message}).`, { cause: error });
  }
  const text = await response.text();
  let result;
  try {
    result = JSON.parse(text);
  } catch {
    const start = text.trim().slice(0, 300) || 'an empty body';
    throw new Trouble(`The server answered ${response.status} ${response.statusText} with: ${start}`);
  }
  offerVisitorToken(result?.data);
  return result;
}

function subscribe(path, params) {
  return {
    subscribe(observer) {
      subscriptions += 1;
      let ended = false;
      const end = () => {
        if (ended) return;
        ended = true;
        subscriptions -= 1;
        if (subscriptions === 0) setStatus('idle');
      };
      const unsubscribe = socketFor(path).subscribe(params, {
        next: (result) => observer.next(result),
        complete: () => {
          end();
          observer.complete();
        },
        error: (reason) => {
          end();
          observer.error(asError(reason));
        },
      });
      return {
        unsubscribe() {
          end();
          unsubscribe();
        },
      };
    },
  };
}

function asError(reason) {
  // The server's own refusal of the operation: a list of GraphQL errors.
  if (Array.isArray(reason)) return reason;
  if (typeof reason?.code === 'number') {
    const why = reason.reason || (reason.code === 1006 ? 'connection lost' : 'no reason given');
    return new Trouble(`The live connection was closed: ${reason.code}, ${why}.`);
  }
  if (reason instanceof Error) return new Trouble(reason.message, { cause: reason });
  return new Trouble('The live connection could not be opened.');
}
