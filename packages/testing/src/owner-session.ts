import { Client } from 'pg';

/** A connection as the owner of the tables, for what no server of ours may do. */
export interface OwnerSession extends AsyncDisposable {
  query<Row extends object>(statement: string, values?: unknown[]): Promise<Row[]>;
  /** Calls `hear` with each payload sent to `channel` by NOTIFY, as soon as its transaction is committed. */
  listen(channel: string, hear: (payload: string) => void): Promise<void>;
}

/** `ownerUrl` is a test database's, or of the server's maintenance database. */
export async function openOwnerSession(ownerUrl: string): Promise<OwnerSession> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'kindred-testing' });
  // A server that ends closes its connections; the next statement says so.
  client.on('error', () => undefined);
  await client.connect();
  return {
    query: async <Row extends object>(statement: string, values: unknown[] = []) =>
      (await client.query<Row>(statement, values)).rows,
    listen: async (channel, hear) => {
      client.on('notification', (message) => {
        if (message.channel === channel) hear(message.payload ?? '');
      });
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
