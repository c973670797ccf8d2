// The bar on top: the caller's credentials, and what the page has to say about them.

import { useEffect, useId, useState, useSyncExternalStore } from 'react';

import { setCredentials, useCredentials } from './credentials.js';
import { onSocketStatus, socketStatus } from './transport.js';
import { dismissNotice, useNotice } from './visitor-token.js';

const LIVE = {
  idle: ['Not subscribed', 'A live connection opens with the first subscription.'],
  connecting: ['Connecting', 'The live connection is being opened.'],
  live: ['Live', 'The live connection is open.'],
};

export function Bar() {
  const held = useCredentials();
  return (
    <header className="bar">
      <h1 className="bar-title">
        <BellIcon />
        Frontdesk
      </h1>
      <div className="bar-fields">
        <Field
          name="token"
          label="Bearer token"
          hint="Sent as Authorization: Bearer …. Empty: you are a visitor."
          placeholder="none: visitor"
          value={held.token}
          secret
        />
        <Field
          name="site"
          label="Site"
          hint="Sent as Frontdesk-Site. May stay empty while the server has one site."
          placeholder="the only one"
          value={held.site}
        />
        <Field
          name="visitorToken"
          label="Visitor token"
          hint="Sent as Frontdesk-Visitor-Token. Filled in by a visitor's first booking."
          placeholder="from first booking"
          value={held.visitorToken}
          secret
        />
      </div>
      <LiveStatus />
      <Notice />
    </header>
  );
}

function Field({ name, label, hint, placeholder, value, secret = false }) {
  const id = useId();
  const [draft, setDraft] = useState(value);
  const [shown, setShown] = useState(false);
  useEffect(() => setDraft(value), [value]);
  // On leaving the field and not on each key: every change makes the socket reconnect.
  const keep = () => {
    setCredentials({ [name]: draft });
    setDraft(draft.trim());
  };
  return (
    <div className={`field field-${name}`} title={hint}>
      <label htmlFor={id}>{label}</label>
      <div className="field-box">
        <input
          id={id}
          name={`frontdesk-${name}`}
          // Not type=password, which makes browsers offer to save it as a login of this origin.
          className={secret && !shown ? 'masked' : undefined}
          type="text"
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          data-1p-ignore=""
          data-lpignore="true"
          placeholder={placeholder}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={keep}
          onKeyDown={(event) => {
            if (event.key === 'Enter') keep();
            if (event.key === 'Escape') setDraft(value);
          }}
        />
        {secret && draft && (
          <button
            type="button"
            aria-label={`${shown ? 'Hide' : 'Show'} ${label.toLowerCase()}`}
            aria-pressed={shown}
            title={shown ? 'Hide' : 'Show'}
            onClick={() => setShown(!shown)}
          >
            {shown ? <EyeOffIcon /> : <EyeIcon />}
          </button>
        )}
        {draft && (
          <button
            type="button"
            aria-label={`Clear ${label.toLowerCase()}`}
            title="Clear"
            onClick={() => {
              setDraft('');
              setCredentials({ [name]: '' });
            }}
          >
            <ClearIcon />
          </button>
        )}
      </div>
    </div>
  );
}

function LiveStatus() {
  const status = useSyncExternalStore(onSocketStatus, socketStatus);
  const [text, hint] = LIVE[status];
  return (
    <p className={`live live-${status}`} title={hint} role="status">
      {text}
    </p>
  );
}

function Notice() {
  const notice = useNotice();
  if (!notice) return null;
  return (
    <div className="notice" role="status">
      {notice.kind === 'kept' ? (
        <span>You have a visitor token now. It goes with your next requests, so that you can see and change your booking.</span>
      ) : (
        <>
          <span>This answer has another visitor token than the one in use.</span>
          <button
            type="button"
            onClick={() => {
              setCredentials({ visitorToken: notice.token });
              dismissNotice();
            }}
          >
            Use the new one
          </button>
        </>
      )}
      <button type="button" onClick={dismissNotice}>
        {notice.kind === 'kept' ? 'Got it' : 'Keep the old one'}
      </button>
    </div>
  );
}

function Icon({ children }) {
  return (
    <svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

function BellIcon() {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0f766e" />
      <path d="M6 22h20M8 20a8 8 0 0 1 16 0zM16 12V9m-2 0h4" fill="none" stroke="#fff" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

function EyeIcon() {
  return (
    <Icon>
      <path d="M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z" />
      <circle cx="12" cy="12" r="3" />
    </Icon>
  );
}

function EyeOffIcon() {
  return (
    <Icon>
      <path d="M10 5.2A9.8 9.8 0 0 1 12 5c6 0 10 7 10 7a17 17 0 0 1-3 3.7M6.2 6.6A16.6 16.6 0 0 0 2 12s4 7 10 7a10 10 0 0 0 4.8-1.3M3 3l18 18" />
    </Icon>
  );
}

function ClearIcon() {
  return (
    <Icon>
      <path d="M6 6l12 12M18 6L6 18" />
    </Icon>
  );
}
