import type { ModelVersionRow } from '@kindred/db/model-versions';
import type { ModelRow } from '@kindred/db/models';
import type { TrainingRunRow } from '@kindred/db/training-runs';
import { decodeGlobalId } from '@kindred/domain/ids';
import type { BatchRow } from './batches.ts';
import type { ModelContext } from './context.ts';
import type { TuningRow } from './tunings.ts';

interface Reference {
  id: string;
}

export async function resolveModel({ id }: Reference, { loaders }: ModelContext): Promise<ModelRow | null> {
  return loaders.models.load(decodeGlobalId('Model', id));
}

export async function resolveTrainingRun({ id }: Reference, { loaders }: ModelContext): Promise<TrainingRunRow | null> {
  return loaders.runs.load(decodeGlobalId('TrainingRun', id));
}

export async function resolveModelVersion(
  { id }: Reference,
  { loaders }: ModelContext,
): Promise<ModelVersionRow | null> {
  return loaders.versions.load(decodeGlobalId('ModelVersion', id));
}

export async function resolveTuning({ id }: Reference, { loaders }: ModelContext): Promise<TuningRow | null> {
  return loaders.tunings.load(decodeGlobalId('Tuning', id));
}

export async function resolveBatch({ id }: Reference, { loaders }: ModelContext): Promise<BatchRow | null> {
  return loaders.batches.load(decodeGlobalId('BatchRecommendation', id));
}
