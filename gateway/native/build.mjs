// Builds the native addon of gateway/build/, only when its sources, its flags, the compiler or Node changed. Exits 0 also where
// there is no compiler.
import { dirname, join } from 'node:path';
import { buildAddons } from '@kindred/native/build-addons';
import { addonFlags, sourcesIn } from '@kindred/native/compile';

/** Where Node has its headers, and those of libuv, wherever it is installed. */
const NODE_HEADERS = join(dirname(process.execPath), '..', 'include', 'node');

await buildAddons('gateway', join(import.meta.dirname, '..', 'build'), [
  {
    name: 'refusals',
    parts: {
      sources: sourcesIn(import.meta.dirname, 'refusals'),
      flags: addonFlags(['-O2', `-I${NODE_HEADERS}`]),
      libraries: [],
    },
    standIn: 'Requests are refused after they are parsed.',
    missing: { pattern: /uv\.h/, hint: `the headers of Node are looked for in ${NODE_HEADERS}` },
  },
]);
