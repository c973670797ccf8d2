// Drives the page of a running Frontdesk server in a real browser, offline but for that server.
//
//   node run.js --url http://127.0.0.1:8080
//       [--token TOKEN] [--shots DIR] [--site SLUG] [--query DOC] [--expect TEXT] [--subscription DOC]
//       [--mutation DOC] [--variables JSON] [--event TEXT] [--anonymous-mutation DOC]
//
// It must not know the schema: every document is an option, and the defaults are the smallest that
// make sense. CHROMIUM names the browser's binary.

import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { chromium } from 'playwright-core';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    token: { type: 'string', default: '' },
    site: { type: 'string', default: '' },
    shots: { type: 'string', default: '' },
    query: { type: 'string', default: '' },
    expect: { type: 'string', default: '"timeZone"' },
    subscription: { type: 'string', default: 'subscription { bookingEvents { kind } }' },
    mutation: { type: 'string', default: '' },
    variables: { type: 'string', default: '{}' },
    event: { type: 'string', default: '"bookingEvents"' },
    'anonymous-mutation': { type: 'string', default: '' },
  },
});
if (!options.url) {
  console.error('usage: node run.js --url http://127.0.0.1:8080 --token TOKEN --mutation DOC [--variables JSON] …');
  process.exit(2);
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const PATIENCE = 20_000;

if (options.shots) mkdirSync(options.shots, { recursive: true });
let passed = 0;
let failed = 0;

async function check(rule, act) {
  try {
    await act();
    passed += 1;
    console.log(`ok   ${rule}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${rule}\n     ${String(error.message ?? error).split('\n').join('\n     ')}`);
  }
}

function insist(condition, message) {
  if (!condition) throw new Error(message);
}

/** Everything that the browser may not do, as it happens. */
const outside = [];
const complaints = [];

async function open(browser, { colorScheme, path = '/', width = 1280, height = 800 }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const local = (address) => LOOPBACK.has(new URL(address).hostname);
  await context.route('**/*', (route) => {
    const address = route.request().url();
    if (/^(data|blob):/.test(address) || local(address)) return route.continue();
    outside.push(address);
    return route.abort();
  });
  const page = await context.newPage();
  page.frames_sent = [];
  page.on('websocket', (socket) => {
    if (!local(socket.url())) outside.push(socket.url());
    socket.on('framesent', ({ payload }) => page.frames_sent.push(String(payload)));
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    // A refused policy, a missing file and a broken worker all end up here; so does the server's answer to the wrong
    // tokens that are typed on purpose.
    if (message.type() === 'error' && !message.text().includes('status of 401')) complaints.push(`console: ${message.text()}`);
  });
  await page.goto(new URL(path, options.url).href);
  await page.waitForSelector('.graphiql-execute-button', { timeout: PATIENCE });
  await page.waitForSelector('.graphiql-query-editor .view-line', { timeout: PATIENCE });
  return page;
}

/** An editor's whole text; the editor draws spaces as no-break ones, and only what is visible. */
function textOf(page, uriEnd) {
  return page.evaluate(
    (end) =>
      globalThis.__MONACO.editor
        .getModels()
        .find((model) => model.uri.path.endsWith(end))
        ?.getValue() ?? '',
    uriEnd,
  );
}

async function type(page, uriEnd, text) {
  await page.evaluate(
    ([end, value]) => {
      globalThis.__MONACO.editor
        .getModels()
        .find((model) => model.uri.path.endsWith(end))
        .setValue(value);
    },
    [uriEnd, text],
  );
}

async function until(what, condition) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    if (await condition()) return;
    insist(Date.now() < end, `waited in vain for ${typeof what === 'function' ? await what() : what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

const OPERATION = 'operation.graphql';
const RESPONSE = 'response.json';

function waitForResponse(page, wanted) {
  return until(
    async () => `${wanted} in the response pane, which says: ${(await textOf(page, RESPONSE)).slice(0, 600)}`,
    async () => (await textOf(page, RESPONSE)).includes(wanted),
  );
}

/** Runs what is in the editor. With several operations GraphiQL would open a menu instead. */
async function run(page) {
  // GraphiQL parses with a delay, and runs what it has parsed.
  await page.waitForTimeout(600);
  await page.click('.graphiql-execute-button');
}

async function post(document, variables, token) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (options.site) headers['frontdesk-site'] = options.site;
  const response = await fetch(new URL('/graphql', options.url), {
    method: 'POST',
    headers,
    body: JSON.stringify({ query: document, variables }),
  });
  const answer = await response.json();
  insist(!answer.errors, `the mutation was refused: ${JSON.stringify(answer.errors)}`);
  return answer;
}

async function fill(page, name, value) {
  await page.fill(`input[name="frontdesk-${name}"]`, value);
  await page.press(`input[name="frontdesk-${name}"]`, 'Enter');
}

function valueOf(page, name) {
  return page.inputValue(`input[name="frontdesk-${name}"]`);
}

async function shot(page, name) {
  if (options.shots) await page.screenshot({ path: `${options.shots}/${name}.png` });
}

/** The last `connection_init` payload that the page has sent. */
function lastInit(page) {
  const inits = page.frames_sent.map((frame) => JSON.parse(frame)).filter(({ type: kind }) => kind === 'connection_init');
  return { count: inits.length, payload: inits.at(-1)?.payload ?? {} };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: FLAGS,
});

try {
  const page = await open(browser, { colorScheme: 'light', path: options.token ? `/#token=${options.token}` : '/' });

  if (options.token) {
    await check('a token in the fragment moves into its field and out of the address', async () => {
      insist((await valueOf(page, 'token')) === options.token, 'the field is not filled');
      insist(!page.url().includes('token'), page.url());
      const stored = await page.evaluate(() => JSON.stringify(localStorage));
      insist(!stored.includes(options.token), 'the token is in local storage');
    });
  }
  if (options.site) await fill(page, 'site', options.site);

  await check('the schema loads and its documentation opens', async () => {
    await page.click('button[aria-label="Show Documentation Explorer"]');
    await page.waitForSelector('.graphiql-doc-explorer-content a:has-text("Query")', { timeout: PATIENCE });
    await shot(page, 'light-docs');
    await page.click('button[aria-label="Hide Documentation Explorer"]');
  });

  await check('the first query that a newcomer sees is answered', async () => {
    if (options.query) await type(page, OPERATION, options.query);
    await run(page);
    await waitForResponse(page, options.expect);
    insist(!(await textOf(page, RESPONSE)).includes('"errors"'), await textOf(page, RESPONSE));
    await shot(page, 'light-query');
  });

  await check('the schema drives completion and validation in the editor', async () => {
    await type(page, OPERATION, '{ surelyNoSuchField }');
    await page.waitForSelector('.squiggly-error', { timeout: PATIENCE });
  });

  await check('a subscription opens a socket with the credentials in it', async () => {
    await type(page, OPERATION, options.subscription);
    await run(page);
    await page.waitForSelector('.live-live', { timeout: PATIENCE });
    const { payload } = lastInit(page);
    if (options.token) insist(payload.Authorization === `Bearer ${options.token}`, JSON.stringify(payload));
    if (options.site) insist(payload['Frontdesk-Site'] === options.site, JSON.stringify(payload));
    await until('the subscribe message', () => page.frames_sent.some((frame) => frame.includes('"subscribe"')));
  });

  if (options.mutation) {
    await check("another client's mutation shows in the response pane", async () => {
      await post(options.mutation, JSON.parse(options.variables), options.token);
      await waitForResponse(page, options.event);
      await shot(page, 'light-subscription');
    });
  }

  await check('changed credentials bring a new connection', async () => {
    const before = lastInit(page).count;
    await fill(page, 'visitorToken', 'changed-by-the-test');
    await until('a second connection', () => lastInit(page).count > before);
    const { payload } = lastInit(page);
    insist(payload['Frontdesk-Visitor-Token'] === 'changed-by-the-test', JSON.stringify(payload));
    // The server may refuse such a token; what counts here is that it was sent.
    await page.click('button[aria-label="Clear visitor token"]');
    insist((await valueOf(page, 'visitorToken')) === '', 'the field is not cleared');
  });

  await check('stopping the subscription closes the socket', async () => {
    if (await page.$('.graphiql-execute-button[aria-label^="Stop"]')) await page.click('.graphiql-execute-button');
    await page.waitForSelector('.live-idle', { timeout: PATIENCE });
  });

  await check('the token can be shown, hidden and cleared', async () => {
    await fill(page, 'token', 'Bearer abc ');
    insist((await valueOf(page, 'token')) === 'abc', await valueOf(page, 'token'));
    await page.click('button[aria-label="Show bearer token"]');
    insist(await page.$('input[name="frontdesk-token"]:not(.masked)'), 'it is not shown');
    await page.click('button[aria-label="Hide bearer token"]');
    await page.click('button[aria-label="Clear bearer token"]');
    await page.reload();
    insist((await valueOf(page, 'token')) === '', 'it came back');
  });
  await page.context().close();

  const dark = await open(browser, { colorScheme: 'dark' });
  await check('the dark theme shows the page as well', async () => {
    if (options.site) await fill(dark, 'site', options.site);
    if (options.query) await type(dark, OPERATION, options.query);
    await shot(dark, 'dark-welcome');
    await dark.click('button[aria-label="Open settings dialog"]');
    await dark.waitForSelector('.graphiql-dialog');
    await shot(dark, 'dark-settings');
    await dark.keyboard.press('Escape');
  });
  if (options['anonymous-mutation']) {
    await check("a visitor's first booking fills in the visitor token", async () => {
      await type(dark, OPERATION, options['anonymous-mutation']);
      await until('the variables editor', () =>
        dark.evaluate(() => globalThis.__MONACO.editor.getModels().some((model) => model.uri.path.endsWith('variables.json'))),
      );
      await type(dark, 'variables.json', options.variables);
      await run(dark);
      await until(
        async () => `the token; the response pane says: ${await textOf(dark, RESPONSE)}`,
        async () => (await valueOf(dark, 'visitorToken')) !== '',
      );
      await dark.waitForSelector('.notice');
      await shot(dark, 'dark-visitor');
    });
  }
  await dark.context().close();

  const narrow = await open(browser, { colorScheme: 'light', width: 800, height: 700 });
  await check('a narrow window keeps every field in sight', async () => {
    await shot(narrow, 'light-narrow');
    for (const name of ['token', 'site', 'visitorToken']) {
      const box = await narrow.locator(`input[name="frontdesk-${name}"]`).boundingBox();
      insist(box && box.x >= 0 && box.x + box.width <= 800 && box.width > 60, `${name}: ${JSON.stringify(box)}`);
    }
  });
  await narrow.context().close();

  await check('nothing was asked of any other host', () => {
    insist(outside.length === 0, outside.join('\n'));
  });
  await check('the browser had nothing to complain about', () => {
    insist(complaints.length === 0, complaints.join('\n'));
  });
} finally {
  await browser.close();
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
