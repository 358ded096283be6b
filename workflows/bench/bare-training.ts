// The training of a tenant's data and nothing else, for `npm run bench:workflow`: no workflow, events, checkpoints or
// version. `node workflows/bench/bare-training.ts TENANT SETTINGS` with DATABASE_URL; prints what it took as JSON.
import {
  bestEmbeddings,
  closeTraining,
  createTraining,
  isTrainingFinished,
  trainNextEpoch,
} from '@kindred/core/lightgcn/training';
import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import { createSnapshotBuilder } from '@kindred/core/snapshot';
import { connectDb } from '@kindred/db/client';
import { exportInteractions } from '@kindred/db/interaction-export';
import type { TenantId } from '@kindred/domain/ids';
import { splitSnapshot } from '../src/split-snapshot.ts';

const [tenantId, settings] = process.argv.slice(2);
const { DATABASE_URL } = process.env;
if (tenantId === undefined || settings === undefined || DATABASE_URL === undefined) {
  throw new Error('Wanted TENANT SETTINGS and DATABASE_URL.');
}
const builder = createSnapshotBuilder();
{
  await using db = await connectDb({ url: DATABASE_URL, applicationName: 'bare-training' });
  for await (const rows of exportInteractions(db, tenantId as TenantId)) builder.add(rows);
}
const { matrix } = builder.build();

const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
const { train, validation } = splitSnapshot(matrix);
const { userCount, itemCount } = matrix;
const counts = { userCount, itemCount, interactionCount: train.userRows.length };
const training = await createTraining(train, validation, resolveHyperparameters(counts, JSON.parse(settings)));
const trainingFrom = performance.now();
while (!isTrainingFinished(training)) await trainNextEpoch(training);
const epochMs = (performance.now() - trainingFrom) / training.model.state.epoch;
await bestEmbeddings(training);
closeTraining(training);
const { user, system } = process.cpuUsage(cpuBefore);
const { backend, state } = training.model;
const [tookMs, cpuMs] = [performance.now() - startedAt, (user + system) / 1_000];
console.log(JSON.stringify({ tookMs, cpuMs, epochs: state.epoch, epochMs, backend: backend.kind }));
