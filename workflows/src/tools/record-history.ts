import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

// Records how a workflow went, for the replay test:
//   node src/tools/record-history.ts --address 127.0.0.1:4012 --workflow-id tenant/…/training --name train-model
const { values } = parseArgs({
  options: {
    address: { type: 'string', default: '127.0.0.1:4012' },
    namespace: { type: 'string', default: 'default' },
    'workflow-id': { type: 'string' },
    name: { type: 'string', default: 'train-model' },
  },
});
const workflowId = values['workflow-id'];
if (workflowId === undefined) {
  throw new Error('Wanted --workflow-id, got none.');
}
const connection = await Connection.connect({ address: values.address });
const client = new Client({ connection, namespace: values.namespace });
const history = await client.workflow.getHandle(workflowId).fetchHistory();
const folder = fileURLToPath(new URL('../histories/', import.meta.url));
await mkdir(folder, { recursive: true });
const { History } = proto.temporal.api.history.v1;
const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
// What names a machine (a worker's identity, the sticky queue called after it, a stack) matters to no replay.
const json = JSON.stringify(
  plain,
  (key, value: unknown) => {
    const namesMachine = key === 'stackTrace' || (typeof value === 'string' && /^\d+@/.test(value));
    return namesMachine ? '' : value;
  },
  1,
);
await writeFile(`${folder}${values.name}.json`, `${json}\n`);
await connection.close();
process.stdout.write(`${folder}${values.name}.json: ${history.events?.length ?? 0} events\n`);
