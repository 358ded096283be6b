import type { ModelId, TenantId } from '@kindred/domain/ids';
import type { TrainingSchedule } from '@kindred/domain/training';
import { RETRAIN_ON_SCHEDULE, retrainWorkflowId, TASK_QUEUES } from '@kindred/workflows/contract';
import {
  type ScheduleClient,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';

const MINUTE_MS = 60_000;

/** Firings of many models are spread over a tenth of their interval, at most this. */
const MOST_JITTER_MS = 10 * MINUTE_MS;

/** What was missed while Temporal was away is made up for if it was due within this time; all of it as one training. */
const CATCH_UP_MS = 60 * MINUTE_MS;

/** Makes Temporal's schedule of a model what `schedule` says, whatever it was; null takes it away. */
export async function applySchedule(
  client: ScheduleClient,
  model: { tenantId: TenantId; modelId: ModelId },
  schedule: TrainingSchedule | null,
): Promise<void> {
  const scheduleId = retrainWorkflowId(model.tenantId, model.modelId);
  const handle = client.getHandle(scheduleId);
  if (schedule === null) {
    await handle.delete().catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    });
    return;
  }
  const options = optionsOf(model, scheduleId, schedule);
  try {
    await client.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) {
      throw error;
    }
    await handle.update(({ state }) => ({ ...options, state }));
  }
}

function optionsOf(
  model: { tenantId: TenantId; modelId: ModelId },
  scheduleId: string,
  { everyMinutes }: TrainingSchedule,
) {
  const everyMs = everyMinutes * MINUTE_MS;
  return {
    scheduleId,
    spec: { intervals: [{ every: everyMs }], jitter: Math.min(everyMs / 10, MOST_JITTER_MS) },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
    action: {
      type: 'startWorkflow',
      workflowType: RETRAIN_ON_SCHEDULE,
      workflowId: scheduleId,
      taskQueue: TASK_QUEUES.workflows,
      args: [model],
    },
  } satisfies ScheduleOptions;
}
