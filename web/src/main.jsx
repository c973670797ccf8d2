// The page: a bar that says who is asking, and GraphiQL below it.

import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';

import { GraphiQL } from 'graphiql';
import { useMemo } from 'react';
import { createRoot } from 'react-dom/client';

import { Bar } from './bar.jsx';
import { takeFromAddress, useCredentials } from './credentials.js';
import { createFetcher } from './transport.js';
import { WELCOME_QUERY } from './welcome.js';

function Page() {
  const { token, site } = useCredentials();
  // A new fetcher makes GraphiQL load the schema again, which may have been refused to the caller
  // before. The fetcher reads the credentials itself when it sends.
  const fetcher = useMemo(() => createFetcher('/graphql'), [token, site]);
  return (
    <>
      <Bar />
      <main>
        <GraphiQL
          fetcher={fetcher}
          defaultQuery={WELCOME_QUERY}
          // The settings dialog would otherwise offer to keep headers in local storage, where a
          // token has no place.
          showPersistHeadersSettings={false}
          inputValueDeprecation
          schemaDescription
        />
      </main>
    </>
  );
}

takeFromAddress();
addEventListener('hashchange', takeFromAddress);
createRoot(document.getElementById('app')).render(<Page />);
