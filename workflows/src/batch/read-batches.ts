import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { listJobs } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import type { UserRow } from '@kindred/db/users';
import { batchFileKey, beginningOfLine } from '@kindred/domain/batch-recommendations';
import type { ActivityDeps } from '../activities/create-activities.ts';
import type { BatchRow } from '../load-batch.ts';

const JOBS_PER_READ = 100;

/** The lines that files of batches have of the user, as JSON texts that name their batch. */
export async function readBatches(deps: ActivityDeps, user: UserRow): Promise<string[]> {
  const lines: string[] = [];
  const beginning = beginningOfLine(user.externalId);
  for await (const { id: jobId, tenantId } of listFiles(deps, user)) {
    const path = await deps.objects.materialize(batchFileKey({ tenantId, jobId }));
    for await (const line of createInterface({ input: createReadStream(path) })) {
      if (line.startsWith(beginning)) lines.push(JSON.stringify({ batchId: jobId, ...JSON.parse(line) }));
    }
  }
  return lines;
}

/** The batches whose file is there. */
async function* listFiles({ db }: ActivityDeps, { tenantId }: UserRow): AsyncGenerator<BatchRow> {
  let afterId: BatchRow['id'] | null = null;
  while (true) {
    const page = { kind: 'BATCH_RECOMMENDATION' as const, first: JOBS_PER_READ, afterId };
    const jobs = (await withTenant(db, tenantId, (tx) => listJobs(tx, page))) as BatchRow[];
    yield* jobs.filter(({ status, state }) => status === 'SUCCEEDED' && state.deletedAtMs == null);
    const last = jobs.at(-1);
    if (last === undefined) return;
    afterId = last.id;
  }
}
