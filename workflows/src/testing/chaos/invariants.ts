import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findActiveVersions, findVersionsByRuns } from '@kindred/db/model-versions';
import { findOutboxTenants } from '@kindred/db/outbox';
import { withTenant } from '@kindred/db/tenants';
import type { RankingMetrics, TrainingEventBody } from '@kindred/domain/training';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import type { TrainModelInput } from '../../contract.ts';
import { runFolder } from '../../run-files.ts';
import { readRun, type TrainingWorld } from '../training-world.ts';
import { findRepeatedEpochs } from './ledger.ts';
import type { Follower } from './follower.ts';
import type { Prober } from './prober.ts';

type EpochFinished = Extract<TrainingEventBody, { kind: 'EPOCH_FINISHED' }>;

export type Ending = 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** What a training comes to: equal for equal data and settings, whatever happened on the way. */
export interface TrainingOutcome {
  losses: number[];
  metrics: RankingMetrics | null;
}

/** What was found of a run that has ended. */
export interface Findings {
  /** What does not hold, none where all is well. */
  violations: string[];
  ending: Ending;
  outcome: TrainingOutcome;
  repeatedEpochs: number;
}

/** A run, and what those saw who watched it. */
export interface Witnessed {
  input: TrainModelInput;
  prober: Pick<Prober, 'figures' | 'failures'>;
  follower: Pick<Follower, 'sequences'>;
}

/** What a run is to come to. */
export interface Wanted {
  endings: readonly Ending[];
  /** What the reason of a run that failed must say. */
  failure?: RegExp | undefined;
  /** What a trained version is equal to, bit for bit; null where that is not known yet. */
  reference: TrainingOutcome | null;
}

/** One epoch that was told may be repeated, where the newest file is torn; of short ones those that were kept together. */
const MOST_REPEATED_EPOCHS = 1;
const MOST_REPEATED_MS = 1_000;

/** Checks what must hold of a run that has ended, however it was disturbed; collects everything that does not. */
export async function checkRun(
  world: TrainingWorld,
  { input, follower, prober }: Witnessed,
  wanted: Wanted,
): Promise<Findings> {
  const { run, events } = await readRun(world, input);
  const ending = run?.status as Ending;
  const epochs = events.flatMap(({ body }) => (body.kind === 'EPOCH_FINISHED' ? [body] : []));
  const [told, sequences] = [epochs.map(({ epoch }) => epoch), events.map(({ sequence }) => sequence)];
  const repeated = await findRepeatedEpochs(world.database.ownerUrl, input.runId);
  const repeatedMs = timeOf(repeated, epochs);
  const { active, ofRun } = await withTenant(world.deps.db, input.tenantId, async (tx) => ({
    active: await findActiveVersions(tx, [input.modelId]),
    ofRun: await findVersionsByRuns(tx, [input.runId]),
  }));
  const waiting = await findOutboxTenants(world.deps.db, new Date());
  const left = await readdir(join(world.folder, runFolder(input)), { recursive: true }).catch(() => []);
  const { asked, failed } = prober.figures;
  const claims: [boolean, string][] = [
    [wanted.endings.includes(ending), `The run ended as ${ending}, wanted ${wanted.endings.join(' or ')}.`],
    [wanted.failure?.test(run?.failure ?? '') !== false, `The run failed by "${run?.failure}", not ${wanted.failure}.`],
    [isCounted(sequences), `Events are ${sequences.join(',')}.`],
    [events.at(-1)?.body.kind === 'FINISHED', `The last event is ${events.at(-1)?.body.kind}, wanted FINISHED.`],
    [isCounted(told), `Epochs were told as ${told.join(',')}.`],
    [
      repeated.length <= MOST_REPEATED_EPOCHS || repeatedMs <= MOST_REPEATED_MS,
      `The epochs ${repeated.join(',')}, of ${repeatedMs.toFixed(0)} ms, were computed again.`,
    ],
    [isCounted(follower.sequences), `The subscriber got the events ${follower.sequences.join(',')}.`],
    [follower.sequences.length === events.length, `It got ${follower.sequences.length} of ${events.length} events.`],
    [failed === 0, `${failed} of ${asked} questions were not answered: ${prober.failures.join('; ')}.`],
    [active.length <= 1, `${active.length} versions are ACTIVE.`],
    [ending !== 'SUCCEEDED' || active.length === 1, 'No version is ACTIVE behind a training that succeeded.'],
    [ofRun.every(({ status }) => status !== 'BUILDING'), 'A version was left half-made.'],
    [left.length === 0, `Files of the run are left: ${left.join(', ')}.`],
    [!waiting.includes(input.tenantId), 'A word to serving is still in the outbox.'],
  ];
  const trained = ofRun.find(({ algorithm }) => algorithm === 'LIGHTGCN');
  const outcome = { losses: epochs.map(({ loss }) => loss), metrics: trained?.metrics ?? null };
  const [found, undisturbed] = [JSON.stringify(outcome), JSON.stringify(wanted.reference ?? outcome)];
  claims.push([
    outcome.metrics === null || found === undisturbed,
    `It came to ${found}, undisturbed to ${undisturbed}.`,
  ]);
  const violations = claims.flatMap(([holds, message]) => (holds ? [] : [message]));
  for (const version of active) violations.push(...(await checkFiles(world, input, version)));
  return { violations, ending, outcome, repeatedEpochs: repeated.length };
}

/** How long these epochs take, as they were told: each trains on the same samples, whose number is not. */
function timeOf(numbers: readonly number[], told: readonly EpochFinished[]): number {
  const [first] = told;
  if (first === undefined) return 0;
  const sampleCount = (first.samplesPerSecond * first.etaMs) / 1000 / Math.max(1, first.epochs - first.epoch);
  const secondsOf = new Map(told.map(({ epoch, samplesPerSecond }) => [epoch, sampleCount / samplesPerSecond]));
  return numbers.reduce((sum, epoch) => sum + (secondsOf.get(epoch) ?? 0) * 1000, 0);
}

/** Whether these are 1, 2, 3 and so on. */
function isCounted(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => number === index + 1);
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
