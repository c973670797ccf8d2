// Takes a booking of the demo studio through the same walk with each client library, over each transport that it speaks.
//
//   frontdesk demo                      prints the address and the tokens
//   FRONTDESK_URL=http://127.0.0.1:8080/graphql FRONTDESK_OWNER_TOKEN=... npm start

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient as createEvents } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';
import * as documents from './documents.js';

const url = process.env.FRONTDESK_URL ?? 'http://127.0.0.1:8080/graphql';
const bearer = process.env.FRONTDESK_OWNER_TOKEN;
if (!bearer) throw new Error('set FRONTDESK_OWNER_TOKEN to an owner token; `frontdesk demo` prints one');
const headers = { authorization: `Bearer ${bearer}` };

/** A socket that Apollo Client, Relay and the walk itself can use alike. */
const socket = () =>
  createSocket({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${bearer}` },
  });

/** Waits for the one result of a client whose every operation is a subscription. */
const once = (client, query, variables) =>
  new Promise((resolve, reject) => {
    let result;
    client.subscribe(
      { query, variables },
      { next: (value) => (result = value), error: reject, complete: () => resolve(result) },
    );
  });

const plain = (client, close) => ({
  run: async (name, variables) => {
    const { data, errors } = await once(client, documents[name], variables);
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  },
  follow: (variables, next, failed) =>
    client.subscribe(
      { query: documents.events, variables },
      { next: ({ data }) => next(data), error: failed, complete: () => {} },
    ),
  close,
});

function apollo(subscriptions, close, first) {
  const http = ApolloLink.from([first, new HttpLink({ uri: url, headers })].filter(Boolean));
  const isSubscription = ({ operationType }) => operationType === 'subscription';
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: subscriptions ? ApolloLink.split(isSubscription, subscriptions, http) : http,
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
  return {
    run: async (name, variables) => {
      const document = gql(documents[name]);
      const mutates = document.definitions[0].operation === 'mutation';
      const { data } = await (mutates
        ? client.mutate({ mutation: document, variables })
        : client.query({ query: document, variables }));
      return data;
    },
    follow: (variables, next, failed) => {
      const results = client.subscribe({ query: gql(documents.events), variables });
      const following = results.subscribe({
        next: ({ data, error }) => (error ? failed(error) : next(data)),
        error: failed,
      });
      return () => following.unsubscribe();
    },
    close,
  };
}

async function relayOver(client, close) {
  const { Environment, Network, Observable, RecordSource, Store, commitMutation, fetchQuery, requestSubscription } = relay;
  const artifact = async (name) => (await import(`./relay/__generated__/operations${name}.graphql.js`)).default;
  const artifacts = {
    sessions: await artifact('SessionsQuery'),
    create: await artifact('CreateMutation'),
    cancel: await artifact('CancelMutation'),
    events: await artifact('EventsSubscription'),
  };
  const ask = async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables });
    const answer = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
    return answer.json();
  };
  const follow = ({ text }, variables) =>
    Observable.create((sink) => client.subscribe({ query: text, variables }, sink));
  const environment = new Environment({ network: Network.create(ask, follow), store: new Store(new RecordSource()) });
  return {
    run: (name, variables) =>
      artifacts[name].params.operationKind === 'mutation'
        ? new Promise((resolve, reject) =>
            commitMutation(environment, {
              mutation: artifacts[name],
              variables,
              onCompleted: (data, errors) => (errors ? reject(new Error(JSON.stringify(errors))) : resolve(data)),
              onError: reject,
            }),
          )
        : fetchQuery(environment, artifacts[name], variables, { fetchPolicy: 'network-only' }).toPromise(),
    follow: (variables, next, failed) =>
      requestSubscription(environment, { subscription: artifacts.events, variables, onNext: next, onError: failed }).dispose,
    close,
  };
}

async function walk(name, client) {
  const found = await client.run('sessions', {});
  const sessions = found.services.nodes.flatMap((service) => service.sessions.nodes);
  const session = sessions.find(
    ({ startDate, remainingCapacity }) => Date.parse(startDate) > Date.now() && remainingCapacity > 0,
  );
  assert.ok(session, 'the studio has a class with room');
  let came, failed;
  const seen = [];
  const failure = new Promise((_, reject) => (failed = reject));
  failure.catch(() => {});
  const unfollow = client.follow(
    { after: found.eventCursor },
    ({ bookingEvents }) => {
      seen.push(bookingEvents);
      came?.();
    },
    failed,
  );
  const until = async (type, id) => {
    const timer = setTimeout(() => failed(new Error(`no ${type} in ${JSON.stringify(seen)}`)), 10_000);
    while (!seen.some((event) => event.type === type && event.booking.id === id)) {
      await Promise.race([failure, new Promise((resolve) => (came = resolve))]);
    }
    clearTimeout(timer);
  };
  const input = {
    bookedEntity: { slot: { session: { sessionId: session.id } } },
    contactDetails: { firstName: 'Ada', email: 'ada@example.com' },
    totalParticipants: 1,
  };
  const { createBooking } = await client.run('create', { input });
  assert.deepEqual(createBooking.userErrors, []);
  const { id } = createBooking.booking;
  await until('CREATED', id);
  const { cancelBooking } = await client.run('cancel', { input: { bookingId: id } });
  assert.equal(cancelBooking.booking?.status, 'CANCELED', JSON.stringify(cancelBooking));
  await until('CANCELED', id);
  unfollow();
  const events = seen.filter((event) => event.booking.id === id);
  assert.deepEqual(new Set(events.map(({ cursor }) => cursor)).size, events.length, 'each event once');
  await client.close?.();
  console.log(`ok   ${name}`);
}

const events = createEvents({ url, headers });
const [own, ofApollo, ofRelay] = [socket(), socket(), socket()];
await walk('graphql-ws', plain(own, () => own.dispose()));
await walk('graphql-sse', plain(events, () => events.dispose()));
await walk('Apollo Client over HTTP, subscriptions as multipart', apollo());
await walk('Apollo Client over HTTP, subscriptions over WebSocket', apollo(new GraphQLWsLink(ofApollo), () => ofApollo.dispose()));
const texts = [];
const persisted = new PersistedQueryLink({
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  useGETForHashedQueries: false,
});
const watched = new ApolloLink((operation, forward) => {
  texts.push(Boolean(operation.getContext().http?.includeQuery));
  return forward(operation);
});
const ofPersisted = socket();
const sendsHashes = apollo(new GraphQLWsLink(ofPersisted), () => ofPersisted.dispose(), ApolloLink.from([persisted, watched]));
await walk('Apollo Client with automatic persisted queries', sendsHashes);
await sendsHashes.run('sessions', {});
assert.equal(texts.at(-1), false, 'the second time, the hash was enough');
await walk('Relay over HTTP, subscriptions over WebSocket', await relayOver(ofRelay, () => ofRelay.dispose()));
process.exit(0);
