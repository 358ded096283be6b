import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { DEPLOYMENT_NAME } from './contract.ts';

/**
 * Lets the builds of a worker run side by side: a workflow that says that it is PINNED ends on the build that it began on, the
 * others go on with the build that is current.
 */
export function versionedAs(buildId: string): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  return {
    workerDeploymentOptions: {
      version: { deploymentName: DEPLOYMENT_NAME, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}

/**
 * Lets this build begin new workflows from now on.
 * @throws when no worker of the build has reached the server yet.
 */
export async function makeBuildCurrent(
  { workflowService }: Pick<NativeConnection, 'workflowService'>,
  { namespace, buildId }: { namespace: string; buildId: string },
): Promise<void> {
  await workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: DEPLOYMENT_NAME, buildId });
}
