import { setOperator } from '../operators.ts';
import { readMigrationEnv } from './env.ts';

// `npm run operator -w prisma -- grant|revoke EMAIL`
try {
  const [action, email] = process.argv.slice(2);
  if ((action !== 'grant' && action !== 'revoke') || email === undefined) {
    throw new Error(`Wanted "grant EMAIL" or "revoke EMAIL", got ${JSON.stringify(process.argv.slice(2).join(' '))}.`);
  }
  await setOperator(readMigrationEnv().migrationDatabaseUrl, email, action === 'grant');
  process.stdout.write(`${email} is ${action === 'grant' ? 'an operator now' : 'no operator any more'}.\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
