// Who is asking: the three values that go with every request. Knows nothing of GraphQL.
//
// They are secrets (but for the site), so they stay in session storage: gone with the browser tab,
// and never in a place that GraphiQL writes to.

import { useSyncExternalStore } from 'react';

const FIELDS = ['token', 'site', 'visitorToken'];
const PREFIX = 'frontdesk:';
const EMPTY = Object.freeze({ token: '', site: '', visitorToken: '' });

const listeners = new Set();
let current = load();

function load() {
  try {
    return Object.freeze(
      Object.fromEntries(FIELDS.map((field) => [field, sessionStorage.getItem(PREFIX + field) ?? ''])),
    );
  } catch {
    // Storage may be forbidden; the values then last until the page is reloaded.
    return EMPTY;
  }
}

/** The credentials as they are now. */
export function credentials() {
  return current;
}

/** Changes some of the fields, and tells everyone who listens if that made a difference. */
export function setCredentials(changes) {
  const next = { ...current };
  for (const field of FIELDS) {
    if (field in changes) next[field] = clean(field, changes[field]);
  }
  if (FIELDS.every((field) => next[field] === current[field])) return;
  current = Object.freeze(next);
  try {
    for (const field of FIELDS) {
      if (next[field]) sessionStorage.setItem(PREFIX + field, next[field]);
      else sessionStorage.removeItem(PREFIX + field);
    }
  } catch {
    // As above.
  }
  for (const listener of [...listeners]) listener();
}

/** Calls `listener` after every change; returns what ends that. */
export function onCredentialsChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useCredentials() {
  return useSyncExternalStore(onCredentialsChange, credentials);
}

/** The credentials as HTTP headers; the same names serve in the payload of `connection_init`. */
export function asHeaders() {
  const headers = {};
  if (current.token) headers.Authorization = `Bearer ${current.token}`;
  if (current.site) headers['Frontdesk-Site'] = current.site;
  if (current.visitorToken) headers['Frontdesk-Visitor-Token'] = current.visitorToken;
  return headers;
}

/**
 * Takes `#token=…&site=…&visitorToken=…` out of the address bar. A fragment is never sent to a
 * server; removing it keeps it out of bookmarks, of copied links and of the history as well.
 */
export function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const changes = {};
  for (const field of FIELDS) {
    if (given.has(field)) changes[field] = given.get(field);
  }
  if (Object.keys(changes).length === 0) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  setCredentials(changes);
}

function clean(field, value) {
  const trimmed = value.trim();
  // People paste what they have at hand, which often is the whole header's value.
  return field === 'token' ? trimmed.replace(/^bearer\s+/i, '') : trimmed;
}
