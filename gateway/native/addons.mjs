// What the native addon of gateway/ is made of.
import { dirname, join } from 'node:path';
import { addonFlags, sourcesIn } from '@kindred/native/compile';

/** Where the addon goes that gateway/src/overload/refusals-addon.ts loads. */
export const BUILD_FOLDER = join(import.meta.dirname, '..', 'build');

/** Where Node has its headers, and those of libuv, wherever it is installed. */
const NODE_HEADERS = join(dirname(process.execPath), '..', 'include', 'node');

/** `more` flags come after its own. */
export function refusalsAddon(more = []) {
  return {
    name: 'refusals',
    parts: {
      sources: sourcesIn(import.meta.dirname, 'refusals'),
      flags: addonFlags(['-O2', `-I${NODE_HEADERS}`, ...more]),
      libraries: [],
    },
    standIn: 'Requests are refused after they are parsed.',
    missing: { pattern: /uv\.h/, hint: `the headers of Node are looked for in ${NODE_HEADERS}` },
  };
}
