import { ScheduleAlreadyRunning, type ScheduleClient, ScheduleOverlapPolicy } from '@temporalio/client';
import { ENFORCE_RETENTION, RETENTION_WORKFLOW_ID, TASK_QUEUES } from './contract.ts';

/** Sees to it that retention is enforced every night; a schedule that is there stays as operators have made it. */
export async function scheduleRetention(schedules: ScheduleClient): Promise<void> {
  try {
    await schedules.create({
      scheduleId: RETENTION_WORKFLOW_ID,
      spec: { calendars: [{ hour: 3, minute: 0 }], jitter: '30 minutes' },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '12 hours' },
      action: {
        type: 'startWorkflow',
        workflowType: ENFORCE_RETENTION,
        workflowId: RETENTION_WORKFLOW_ID,
        taskQueue: TASK_QUEUES.workflows,
        args: [],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) {
      throw error;
    }
  }
}
