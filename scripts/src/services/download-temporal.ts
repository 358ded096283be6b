// Lets the SDK download the Temporal CLI into a folder: `node download-temporal.ts DIR VERSION`. A process of its own,
// because the SDK's download cannot be cancelled.
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [, , downloadDir, version] = process.argv;
if (downloadDir === undefined || version === undefined)
  throw new Error(`Wanted DIR VERSION, got ${process.argv.slice(2).join(' ')}`);
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, version } },
});
await environment.teardown();
