import { refusalOf } from '../jobs/refusal-of.ts';

/** The largest file that the API takes. */
const MAX_BYTES = 1024 ** 3;

export type Uploaded = { uploadId: string } | { problem: string };

/** Sends a file to the API; `send` adds the session's credential. */
export async function uploadFile(send: typeof fetch, apiOrigin: string, file: File): Promise<Uploaded> {
  if (file.size > MAX_BYTES) return { problem: `A file may have 1 GiB, ${file.name} has more.` };
  const headers = { 'content-type': 'application/octet-stream' };
  const url = `${apiOrigin}/files/catalog/uploads`;
  const response = await send(url, { method: 'POST', headers, body: file }).catch(() => null);
  if (!response?.ok) return { problem: await refusalOf(response) };
  return (await response.json()) as { uploadId: string };
}
