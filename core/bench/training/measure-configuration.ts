import { fileURLToPath } from 'node:url';
import { runInChild } from '../in-child.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import type { TrainingTask } from './configurations.ts';
import type { LayerResult } from './measure-layer.ts';
import type { StepResult } from './measure-steps.ts';
import type { TrainingResult, WholeTrainingTask } from './measure-training.ts';
import type { HeldOutPart } from './training-data.ts';
import type { Unavailable } from './unavailable.ts';

/** All that was measured of one row; `unavailable` where its back-end does not work here. */
export type TrainingRow = { readonly label: string } & (Unavailable | Measurements);

export interface Measurements {
  readonly step: StepResult;
  /** Best step of the reference over that of this row; null where the reference was not measured. */
  readonly timesReference: number | null;
  readonly layer: LayerResult;
  /** Null where whole trainings were not asked for. */
  readonly training: WholeTraining | null;
}

/** Whole trainings, one for each seed. */
export interface WholeTraining {
  readonly runs: readonly TrainingResult[];
  readonly wallSeconds: Spread;
  readonly cpuSeconds: Spread;
  readonly epochs: Spread;
  readonly peakMB: Spread;
  readonly recallAt20: Spread | null;
  readonly ndcgAt20: Spread | null;
}

export interface WholeWish {
  /** One training for each; none for no training at all. */
  readonly seeds: readonly number[];
  readonly quality: HeldOutPart | null;
}

const childModule = (name: string) => fileURLToPath(import.meta.resolve(`./${name}.ts`));

/** One step of a training in a process of its own. */
export async function measureStep(task: TrainingTask): Promise<StepResult | Unavailable> {
  return (await runInChild(childModule('measure-steps'), task)) as StepResult | Unavailable;
}

/** Measures one configuration, each measurement in a process of its own. */
export async function measureConfiguration(
  task: TrainingTask,
  whole: WholeWish,
  referenceMs: number | null,
): Promise<TrainingRow> {
  const { label } = task;
  const step = await measureStep(task);
  if ('unavailable' in step) return { label, ...step };
  const layer = (await runInChild(childModule('measure-layer'), task)) as LayerResult;
  const runs: TrainingResult[] = [];
  for (const seed of whole.seeds) {
    const hyperparameters = { ...task.hyperparameters, seed };
    const own: WholeTrainingTask = { ...task, hyperparameters, quality: whole.quality };
    runs.push((await runInChild(childModule('measure-training'), own)) as TrainingResult);
  }
  const base = task.options.backend === 'reference' ? step.bestStepMs : referenceMs;
  const timesReference = base === null ? null : base / step.bestStepMs;
  return { label, step, timesReference, layer, training: runs.length > 0 ? summarize(runs) : null };
}

function summarize(runs: readonly TrainingResult[]): WholeTraining {
  const spread = (value: (run: TrainingResult) => number) => spreadOf(runs.map(value));
  const optional = (values: (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return known.length > 0 ? spreadOf(known) : null;
  };
  return {
    runs,
    wallSeconds: spread(({ wallSeconds }) => wallSeconds),
    cpuSeconds: spread(({ cpuSeconds }) => cpuSeconds),
    epochs: spread(({ epochs }) => epochs),
    peakMB: spread(({ peakMB }) => peakMB),
    recallAt20: optional(runs.map(({ recallAt20 }) => recallAt20)),
    ndcgAt20: optional(runs.map(({ ndcgAt20 }) => ndcgAt20)),
  };
}
