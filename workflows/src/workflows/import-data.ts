import { CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { DataActivities } from '../activities/create-activities.ts';
import { type ImportDataInput, TASK_QUEUES } from '../contract.ts';
import { describeJobFailure } from './describe-job-failure.ts';
import { ENDING_STEP, LONG_STEP, SHORT_STEP } from './step-options.ts';

const { openImport } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...SHORT_STEP });
const { checkImport, writeImport } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...LONG_STEP });
const { finishImport } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...ENDING_STEP });

/** Brings a file of items or interactions into the catalogue: all of it or its right rows, as its error policy says. */
export async function importData(input: ImportDataInput): Promise<void> {
  try {
    const { checksFirst } = await openImport(input);
    if (checksFirst) {
      const { failedCount } = await checkImport(input);
      if (failedCount > 0) {
        await finishImport({ ...input, status: 'FAILED', message: 'Rows are wrong, so nothing was written.' });
        return;
      }
    }
    const { failedCount } = await writeImport(input);
    const message = failedCount > 0 ? 'Imported, but for the wrong rows.' : 'Imported.';
    // What is written is written: a cancellation that comes now is too late.
    await CancellationScope.nonCancellable(() => finishImport({ ...input, status: 'SUCCEEDED', message }));
  } catch (error) {
    const ending = isCancellation(error)
      ? { status: 'CANCELLED' as const, message: 'The import was cancelled.' }
      : { status: 'FAILED' as const, message: describeJobFailure(error) };
    await CancellationScope.nonCancellable(() => finishImport({ ...input, ...ending }));
    throw error;
  }
}
