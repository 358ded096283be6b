import { connect } from 'node:http2';

const TIMEOUT_MS = 2_000;

/**
 * Whether the server at `address` (`host:port`) answers and has the namespace: one plain gRPC call, because loading
 * the whole SDK for it would cost a second of every start.
 * @throws Error when nothing answers there.
 */
export function hasNamespace(address: string, namespace: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${address}`);
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    session.setTimeout(TIMEOUT_MS, () => fail(new Error(`${address} did not answer within ${TIMEOUT_MS} ms`)));
    session.once('error', fail);
    const call = session.request({
      ':method': 'POST',
      ':path': '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    call.on('response', (headers) => {
      status = headers['grpc-status'] ?? status;
    });
    call.on('trailers', (headers) => {
      status = headers['grpc-status'] ?? status;
    });
    call.once('error', fail);
    call.once('end', () => {
      session.close();
      resolve(String(status) === '0');
    });
    call.resume();
    call.end(describeNamespaceRequest(namespace));
  });
}

/** `DescribeNamespaceRequest { string namespace = 1 }` in a gRPC frame; names are shorter than 126 bytes here. */
function describeNamespaceRequest(namespace: string): Buffer {
  const name = Buffer.from(namespace, 'utf8');
  const message = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
}
