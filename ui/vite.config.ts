// How the window's web side is served, built and tested.
//
// `--mode fake` puts a backend made of sample data in the place of the desktop
// shell; only in that mode is it part of the bundle.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [svelte()],
  clearScreen: false,
  // Beside the packages; else a second node_modules appears in here.
  cacheDir: '../node_modules/.vite',
  // The desktop shell looks for the development server at this very port.
  server: { port: 1420, strictPort: true },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The oldest web views in use: WebKitGTK 2.40 and WebView2 of the same year.
    target: ['safari16.4', 'chrome111'],
    // The content security policy allows no inline assets but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // Outside a browser Svelte would be resolved to its server side, without reactivity.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
