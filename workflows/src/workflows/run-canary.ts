import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type { VersionRef } from '../activities/build-index.ts';
import type { DataActivities } from '../activities/create-activities.ts';
import { STEERING_SIGNALS, type SteeringRequest, TASK_QUEUES, type TrainModelInput } from '../contract.ts';

// While the database is away the trial goes on, and is judged when it is back.
const { watchCanary } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * Watches a version on trial until it is promoted or rolled back, by its figures or by a person, and says in a sentence what
 * became of it.
 */
export async function runCanary(
  input: TrainModelInput & { version: VersionRef },
  { checkEveryMs }: { checkEveryMs: number },
): Promise<string> {
  let isTold = false;
  setHandler(defineSignal<[SteeringRequest]>(STEERING_SIGNALS.lookAtCanary), () => {
    isTold = true;
  });
  const name = `Version ${input.version.number}`;
  while (true) {
    isTold = false;
    const ending = await watchCanary(input);
    if (ending !== null) {
      const { status, reason } = ending;
      return status === 'PROMOTED' ? `${name} answers now. ${reason}` : `${name} is kept back. ${reason}`;
    }
    await condition(() => isTold, checkEveryMs);
  }
}
