import { writeFile } from 'node:fs/promises';
import { composeSupergraph } from './compose-supergraph.ts';

const { supergraphSdl, apiSdl } = await composeSupergraph();
await writeFile(new URL('../../supergraph.graphql', import.meta.url), supergraphSdl);
await writeFile(new URL('../../api.graphql', import.meta.url), apiSdl);
