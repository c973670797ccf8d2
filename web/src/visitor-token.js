// The visitor token's way from an answer into the page: an anonymous visitor's first booking
// returns one, and everything that visitor does later has to carry it.

import { useSyncExternalStore } from 'react';

import { credentials, setCredentials } from './credentials.js';

const listeners = new Set();
/** What the page says about it: `null`, or `{ kind: 'kept' | 'other', token }`. */
let notice = null;

function setNotice(next) {
  notice = next;
  for (const listener of [...listeners]) listener();
}

/** Looks for a visitor token in an answer's data. */
export function offerVisitorToken(data) {
  const token = find(data);
  const held = credentials().visitorToken;
  if (!token || token === held) return;
  if (held) {
    // Never replaced unasked: the one held may be the only way to bookings made before.
    setNotice({ kind: 'other', token });
  } else {
    setCredentials({ visitorToken: token });
    setNotice({ kind: 'kept', token });
  }
}

export function dismissNotice() {
  setNotice(null);
}

export function useNotice() {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notice,
  );
}

function find(value) {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = find(item);
      if (found) return found;
    }
  } else if (value && typeof value === 'object') {
    if (typeof value.visitorToken === 'string' && value.visitorToken) return value.visitorToken;
    return find(Object.values(value));
  }
  return null;
}
