import { readFile, writeFile } from 'node:fs/promises';

const HEADER =
  '# The API as it was last released, by `npm run release-schema -w gateway`; what breaks it fails the tests. Do not edit.';

const api = await readFile(new URL('../../api.graphql', import.meta.url), 'utf8');
await writeFile(new URL('../../released.graphql', import.meta.url), api.replace(/^#.*$/m, HEADER));
