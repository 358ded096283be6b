import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { decodeArtefact, encodeArtefact } from '@kindred/core/artefact';
import { withoutUser } from '@kindred/core/without-user';
import { serveThread } from './serve-thread.ts';

export interface StripThreadInput {
  artefactPath: string;
  userId: string;
  /** Where the artefact without the user is to be written. */
  outputPath: string;
}

/** The sha256 of what was written; null when the artefact does not have the user, and nothing was. */
export interface StrippedArtefact {
  sha256: string | null;
}

serveThread<StrippedArtefact>(() => {
  const { artefactPath, userId, outputPath } = workerData as StripThreadInput;
  const stripped = withoutUser(decodeArtefact(readFileSync(artefactPath)), userId);
  if (stripped === null) {
    return { value: { sha256: null } };
  }
  const bytes = encodeArtefact(stripped);
  writeFileSync(outputPath, bytes);
  return { value: { sha256: createHash('sha256').update(bytes).digest('hex') } };
});
