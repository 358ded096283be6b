import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

// Read when the dashboard is built: the published schema is the one that its documents were checked against.
export const dynamic = 'force-static';

export async function GET(): Promise<Response> {
  const sdl = await readFile(join(process.cwd(), '../gateway/api.graphql'), 'utf8');
  return new Response(sdl, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
