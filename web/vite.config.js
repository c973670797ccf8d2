import { defineConfig } from 'vite';

export default defineConfig({
  // The page itself is `/`; everything that it loads lives under this prefix, so that the server
  // can tell assets (hashed names, cached for good) from the rest of its routes.
  base: '/graphiql/',
  esbuild: { jsx: 'automatic' },
  build: {
    target: 'es2022',
    assetsDir: '',
    // Preloading needs no polyfill in the browsers of that target.
    modulePreload: { polyfill: false },
    // Monaco is one big piece by nature.
    chunkSizeWarningLimit: 8000,
    reportCompressedSize: false,
    rollupOptions: {
      onwarn(warning, warn) {
        // "use client" and the like: words to frameworks that render on a server.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  worker: { format: 'es' },
  // `npm run dev` beside a running `frontdesk serve`.
  server: {
    proxy: { '/graphql': { target: process.env.FRONTDESK_URL ?? 'http://127.0.0.1:8080', ws: true } },
  },
});
