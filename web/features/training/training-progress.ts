import type { TrainingEventFragment, TrainingPhase } from '../../src/generated/graphql.ts';

/** The steps of a run, in order. */
export const PHASES = [
  'PREFLIGHT',
  'SNAPSHOT',
  'INSTANT_MODEL',
  'TRAIN',
  'EVALUATE',
  'BUILD_INDEX',
  'PROMOTE',
  'CANARY',
] as const satisfies readonly TrainingPhase[];

/** An event as the page uses it: the fragment without what the cache needs. */
export type ProgressEvent = Omit<TrainingEventFragment, '__typename' | ' $fragmentName'>;

export interface EpochPoint {
  epoch: number;
  loss: number;
  ndcgAt10: number;
  recallAt10: number;
}

/** `name` is the API's: `POPULARITY`, `SPECTRAL`. */
export interface BaselineLevel {
  name: string;
  ndcgAt10: number;
}

export interface LogLine {
  sequence: number;
  at: string;
  kind: ProgressEvent['kind'];
  text: string;
}

/** All that a run's events say, applied in the order of their sequence whatever order they came in. */
export interface TrainingProgress {
  /** The last event applied: the point to resume from. */
  lastSequence: number;
  /** Events that came early, waiting for those before them, by sequence. */
  early: ReadonlyMap<number, ProgressEvent>;
  phase: TrainingPhase | null;
  /** When each phase began. */
  phaseStartedAt: Partial<Record<TrainingPhase, string>>;
  points: readonly EpochPoint[];
  /** The most passes that the run makes; null before the first ended. */
  plannedEpochs: number | null;
  samplesPerSecond: number | null;
  /** When the training ends at the latest, by the last epoch's estimate. */
  trainedBy: number | null;
  /** NDCG@10 on the validation interactions of the curve of what the model has to beat, in the order of measuring. */
  baselines: readonly BaselineLevel[];
  log: readonly LogLine[];
  lastEventAt: string | null;
  /** Whether the run waits, and whether it was told to end its training. */
  paused: boolean;
  stopping: boolean;
  finished: boolean;
}

export const NO_PROGRESS: TrainingProgress = {
  lastSequence: 0,
  early: new Map(),
  phase: null,
  phaseStartedAt: {},
  points: [],
  plannedEpochs: null,
  samplesPerSecond: null,
  trainedBy: null,
  baselines: [],
  log: [],
  lastEventAt: null,
  paused: false,
  stopping: false,
  finished: false,
};

/**
 * The progress after `events`, in any order: one already applied changes nothing, one that came early waits.
 * Returns the same object when nothing changed.
 */
export function applyEvents(progress: TrainingProgress, events: readonly ProgressEvent[]): TrainingProgress {
  const waiting = new Map(progress.early);
  for (const event of events) {
    if (event.sequence > progress.lastSequence && !waiting.has(event.sequence)) waiting.set(event.sequence, event);
  }
  if (waiting.size === progress.early.size) return progress;
  const due: ProgressEvent[] = [];
  for (let sequence = progress.lastSequence + 1; ; sequence += 1) {
    const event = waiting.get(sequence);
    if (event === undefined) break;
    due.push(event);
    waiting.delete(sequence);
  }
  return { ...due.reduce(applyOne, progress), early: waiting };
}

function applyOne(progress: TrainingProgress, event: ProgressEvent): TrainingProgress {
  const next: TrainingProgress = {
    ...progress,
    lastSequence: event.sequence,
    lastEventAt: event.at,
    log: [...progress.log, { sequence: event.sequence, at: event.at, kind: event.kind, text: describeEvent(event) }],
  };
  switch (event.kind) {
    case 'PHASE_STARTED':
      return event.phase === null || event.phase === undefined ? next : startPhase(next, event.phase, event.at);
    case 'EPOCH_FINISHED':
      return event.epoch === null || event.epoch === undefined ? next : addEpoch(next, event.epoch, event.at);
    case 'BASELINE_EVALUATED':
      return event.evaluation?.heldOut === 'VALIDATION' ? addBaseline(next, event.evaluation) : next;
    case 'PAUSED':
      return { ...next, paused: true, trainedBy: null };
    case 'RESUMED':
      return { ...next, paused: false };
    case 'STOPPING':
      return { ...next, paused: false, stopping: true, trainedBy: null };
    case 'FINISHED':
      return { ...next, finished: true, paused: false, trainedBy: null };
    case 'MODEL_EVALUATED':
    case 'LOG':
      return next;
    default:
      // A kind that this build does not know yet still counts as seen.
      return next;
  }
}

function startPhase(progress: TrainingProgress, phase: TrainingPhase, at: string): TrainingProgress {
  const phaseStartedAt = { ...progress.phaseStartedAt, [phase]: progress.phaseStartedAt[phase] ?? at };
  return { ...progress, phase, phaseStartedAt, trainedBy: phase === 'TRAIN' ? progress.trainedBy : null };
}

function addBaseline(
  progress: TrainingProgress,
  { name, metrics }: NonNullable<ProgressEvent['evaluation']>,
): TrainingProgress {
  const others = progress.baselines.filter((baseline) => baseline.name !== name);
  return { ...progress, baselines: [...others, { name, ndcgAt10: metrics.ndcgAt10 }] };
}

/** The level of recommending the most popular items; null until it is measured. */
export function popularityLevel({ baselines }: Pick<TrainingProgress, 'baselines'>): number | null {
  return baselines.find(({ name }) => name === 'POPULARITY')?.ndcgAt10 ?? null;
}

function addEpoch(
  progress: TrainingProgress,
  figures: NonNullable<ProgressEvent['epoch']>,
  at: string,
): TrainingProgress {
  const { epoch, epochs, loss, ndcgAt10, recallAt10, samplesPerSecond, etaMs } = figures;
  // A worker that resumes from a checkpoint repeats the epochs after it: what it says last holds.
  const before = progress.points.filter((point) => point.epoch < epoch);
  return {
    ...progress,
    points: [...before, { epoch, loss, ndcgAt10, recallAt10 }],
    plannedEpochs: epochs,
    samplesPerSecond,
    trainedBy: Date.parse(at) + etaMs,
  };
}

/** The epoch that ranks best on the validation interactions, the earliest of equals. */
export function bestEpoch(points: readonly EpochPoint[]): EpochPoint | null {
  return points.reduce<EpochPoint | null>(
    (best, point) => (best === null || point.ndcgAt10 > best.ndcgAt10 ? point : best),
    null,
  );
}

export type StepState = 'done' | 'active' | 'failed' | 'waiting';

/** What the stepper shows for `step` when the run is at `phase`. */
export function stepState(step: TrainingPhase, phase: TrainingPhase | null, status: string): StepState {
  if (status === 'SUCCEEDED') return 'done';
  const at = phase === null ? -1 : PHASES.indexOf(phase);
  const position = PHASES.indexOf(step);
  if (position < at) return 'done';
  if (position > at) return 'waiting';
  return status === 'FAILED' || status === 'CANCELLED' ? 'failed' : 'active';
}

/** The right end of the epoch axis: it grows in steps of a fifth or so, so that a live curve does not rescale every epoch. */
export function axisEnd(epochCount: number, plannedEpochs: number | null): number {
  let end = 10;
  while (end < epochCount) end = Math.ceil((end * 1.5) / 10) * 10;
  return plannedEpochs === null ? end : Math.max(2, epochCount, Math.min(end, plannedEpochs));
}

function describeEvent({ kind, epoch, evaluation, message }: ProgressEvent): string {
  if (message !== '') return message;
  if (epoch) {
    return `Epoch ${epoch.epoch} of ${epoch.epochs}: loss ${epoch.loss.toPrecision(4)}, NDCG@10 ${epoch.ndcgAt10.toFixed(4)}`;
  }
  return evaluation ? `${evaluation.name}: NDCG@10 ${evaluation.metrics.ndcgAt10.toFixed(4)}` : kind;
}
