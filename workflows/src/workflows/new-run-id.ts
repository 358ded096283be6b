import { uuid4 } from '@temporalio/workflow';
import type { TrainingRunId } from '@kindred/domain/ids';

/** A UUID of version 7 (RFC 9562) by the workflow's own clock and randomness: the same whenever the workflow is replayed. */
export function newRunId(): TrainingRunId {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${uuid4().slice(15)}` as TrainingRunId;
}
