import { createHash } from 'node:crypto';
import { findActiveVersions, findVersionsByRuns } from '@kindred/db/model-versions';
import { findOutboxTenants } from '@kindred/db/outbox';
import { withTenant } from '@kindred/db/tenants';
import type { RankingMetrics } from '@kindred/domain/training';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import type { TrainModelInput } from '../../contract.ts';
import { runFolder } from '../../run-files.ts';
import { readRun, type TrainingWorld } from '../training-world.ts';

/** What a training comes to: equal for equal data and settings, whatever happened on the way. */
export interface TrainingOutcome {
  losses: number[];
  metrics: RankingMetrics | null;
}

/**
 * Checks what must hold of a run that has ended, however it was disturbed; collects everything that does not.
 * @returns the violations, none where all is well, and what the training came to.
 */
export async function checkRun(
  world: TrainingWorld,
  input: TrainModelInput,
  wanted: readonly string[],
): Promise<{ violations: string[]; outcome: TrainingOutcome }> {
  const violations: string[] = [];
  const claim = (holds: boolean, message: string) => void (holds || violations.push(message));
  const { run, events } = await readRun(world, input);
  claim(wanted.includes(run?.status ?? ''), `The run ended as ${run?.status}, wanted ${wanted.join(' or ')}.`);
  const isInOrder = events.every(({ sequence }, index) => sequence === index + 1);
  claim(isInOrder, `Events have gaps: ${events.map(({ sequence }) => sequence).join(' ')}.`);
  claim(events.at(-1)?.body.kind === 'FINISHED', `The last event is ${events.at(-1)?.body.kind}, wanted FINISHED.`);
  const epochs = events.flatMap(({ body }) => (body.kind === 'EPOCH_FINISHED' ? [body] : []));
  const numbers = epochs.map(({ epoch }) => epoch);
  claim(
    numbers.every((epoch, index) => epoch === index + 1),
    `Epochs were told as ${numbers.join(' ')}, wanted each once, in order.`,
  );
  const { active, ofRun } = await withTenant(world.deps.db, input.tenantId, async (tx) => ({
    active: await findActiveVersions(tx, [input.modelId]),
    ofRun: await findVersionsByRuns(tx, [input.runId]),
  }));
  claim(active.length <= 1, `${active.length} versions are ACTIVE.`);
  claim(run?.status !== 'SUCCEEDED' || active.length === 1, 'No version is ACTIVE behind a training that succeeded.');
  claim(
    ofRun.every(({ status }) => status !== 'BUILDING'),
    'A version was left half-made.',
  );
  for (const version of active) violations.push(...(await checkFiles(world, input, version)));
  const checkpoint = run?.checkpoints[0]?.key;
  const isClean = checkpoint === undefined || !(await world.deps.objects.exists(checkpoint));
  claim(isClean, `Files of the run are left in ${runFolder(input)}.`);
  const waiting = await findOutboxTenants(world.deps.db, new Date());
  claim(!waiting.includes(input.tenantId), 'A word to serving is still in the outbox.');
  const trained = ofRun.find(({ algorithm }) => algorithm === 'LIGHTGCN');
  return { violations, outcome: { losses: epochs.map(({ loss }) => loss), metrics: trained?.metrics ?? null } };
}

async function checkFiles(
  { deps: { objects } }: TrainingWorld,
  { tenantId }: TrainModelInput,
  version: Awaited<ReturnType<typeof findActiveVersions>>[number],
): Promise<string[]> {
  const manifest = decodeVersionManifest(await objects.get(version.artefactKey), { tenantId, versionId: version.id });
  const violations: string[] = [];
  for (const file of [manifest.artefact, manifest.index]) {
    if (file === null) continue;
    const found = createHash('sha256')
      .update(await objects.get(file.key))
      .digest('hex');
    if (found !== file.sha256)
      violations.push(`${file.key} has the sha256 ${found}, its manifest wants ${file.sha256}.`);
  }
  return violations;
}
