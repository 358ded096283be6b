import { Client } from 'pg';

/**
 * Makes the account of an e-mail address a platform operator, or no longer one, as the owner of the database.
 * @throws Error when no account has this address.
 */
export async function setOperator(ownerUrl: string, email: string, isOperator: boolean): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'kindred-operators' });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM accounts WHERE email = $1', [
      email.toLowerCase(),
    ]);
    const [account] = rows;
    if (account === undefined) throw new Error(`No account has the e-mail address "${email}".`);
    await client.query(
      isOperator
        ? 'INSERT INTO operators (account_id) VALUES ($1) ON CONFLICT DO NOTHING'
        : 'DELETE FROM operators WHERE account_id = $1',
      [account.id],
    );
  } finally {
    await client.end();
  }
}
