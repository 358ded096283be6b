import { patched, upsertSearchAttributes } from '@temporalio/workflow';
import type { SteeringChange, TrainingRunStatus } from '@kindred/domain/training';
import type { TrainModelInput } from '../contract.ts';
import { SEARCH_ATTRIBUTES } from '../search-attributes.ts';

type ShownStatus = Exclude<TrainingRunStatus, 'QUEUED'> | Exclude<SteeringChange, 'RESUMED'>;

/** Lets operators find the run in Temporal's own interface: whose it is, and how it stands, as told by the calls. */
export function showInSearch({ tenantId, modelId }: TrainModelInput): (status: ShownStatus) => void {
  const owner = [
    { key: SEARCH_ATTRIBUTES.tenant, value: tenantId },
    { key: SEARCH_ATTRIBUTES.model, value: modelId },
  ];
  return (status) => {
    // Runs that were begun before this was so go on without it.
    if (patched('search-attributes')) {
      upsertSearchAttributes([...owner, { key: SEARCH_ATTRIBUTES.status, value: status }]);
    }
  };
}
