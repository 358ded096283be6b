import { parseArgs } from 'node:util';
import { NativeConnection } from '@temporalio/worker';
import { makeBuildCurrent } from '../worker-version.ts';

// The last step of a deploy: new workflows begin on this build, once its workers run beside those of the build before.
//   node src/tools/make-build-current.ts --address 127.0.0.1:7233 --build-id 1.4.0-ab12cd3
const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:4012' },
    namespace: { type: 'string', default: 'default' },
    'build-id': { type: 'string' },
  },
});
const { address, namespace, 'build-id': buildId } = values;
if (buildId === undefined) {
  throw new Error('Wanted --build-id, got none.');
}
const connection = await NativeConnection.connect({ address });
await makeBuildCurrent(connection, { namespace, buildId });
await connection.close();
process.stdout.write(`New workflows begin on build ${buildId}.\n`);
