import { seedRandom } from '@kindred/core/random';
import type { RoundReport } from './control.ts';
import type { Fault } from './fault.ts';
import { checkRun, type Findings, type TrainingOutcome } from './invariants.ts';
import { type Stage, until, untilEnded } from './stage.ts';

/** A training that nothing happens to. */
export const UNDISTURBED: Fault = {
  invariant: 'The run succeeds.',
  strike: async () => {},
};

/** How long what is behind a run's end may take: the outbox is looked through every 5 s, a subscriber returns at once. */
const SETTLED_WITHIN_MS = 30_000;

export interface RoundOptions {
  name: string;
  fault: Fault;
  round: number;
  seed: number;
  /** What the training comes to where nothing happens; null where that is not known yet. */
  reference: TrainingOutcome | null;
}

/** Begins a training, disturbs it, waits for its end, and checks what must hold. */
export async function playRound(
  stage: Stage,
  { name, fault, round, seed, reference }: RoundOptions,
): Promise<{ report: RoundReport; outcome: TrainingOutcome }> {
  const startedAt = Date.now();
  await stage.workers.raise();
  await using scene = await stage.begin(seedRandom(seed + 1), async (viewer) => fault.prepare?.(stage, viewer));
  const violations: string[] = [];
  await fault.strike(stage, scene, seedRandom(seed)).catch((error: unknown) => violations.push(String(error)));
  await untilEnded(stage, scene);
  const wanted = { endings: fault.endings ?? (['SUCCEEDED'] as const), failure: fault.failure, reference };
  const look = () => checkRun(stage.world, scene, wanted);
  const findings = await settle(stage, look);
  await stage.workers.clear();
  violations.push(...findings.violations);
  const { outcome, ending, repeatedEpochs } = findings;
  const events = { received: scene.follower.sequences.length, resumed: scene.follower.resumed };
  const durationMs = Date.now() - startedAt;
  const recommendations = { ...scene.prober.figures };
  const report = { fault: name, round, violations, ending, durationMs, repeatedEpochs, recommendations, events };
  return { report, outcome };
}

/** The findings once none is left, or what is left after a while: some things come moments behind a run's end. */
async function settle(stage: Stage, look: () => Promise<Findings>): Promise<Findings> {
  const deadline = Date.now() + SETTLED_WITHIN_MS;
  let findings: Findings | null = null;
  await until(stage, 'all is looked at', async () => {
    findings = await look();
    return findings.violations.length === 0 || Date.now() > deadline;
  });
  if (findings === null) throw new Error('Nothing was looked at.');
  return findings;
}
