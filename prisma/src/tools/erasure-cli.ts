import { verifyErasures } from '../verify-erasures.ts';
import { readMigrationEnv } from './env.ts';

// `npm run erasure -w prisma -- verify [ID]`: one line per erasure; exit status 1 when something is wrong with one.
try {
  const [action, erasureId] = process.argv.slice(2);
  if (action !== 'verify') throw new Error(`Wanted "verify", got ${JSON.stringify(action ?? '')}.`);
  const verdicts = await verifyErasures(readMigrationEnv().migrationDatabaseUrl, erasureId);
  for (const { erasureId: id, tenantId, status, lineCount, heldCount, problems } of verdicts) {
    const said = problems.length === 0 ? 'whole' : problems.join('; ');
    process.stdout.write(
      `${id} of ${tenantId} ${status}: ${said}; ${lineCount} lines, ${heldCount} rows of the user\n`,
    );
    if (problems.length > 0) process.exitCode = 1;
  }
  process.stdout.write(`${verdicts.length} erasures verified\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
