import { verifyAuditLog } from '../verify-audit-log.ts';
import { readMigrationEnv } from './env.ts';

// `npm run audit -w prisma -- verify`: one line per tenant; exit status 1 when a chain is broken.
try {
  if (process.argv[2] !== 'verify') throw new Error(`Wanted "verify", got ${JSON.stringify(process.argv[2] ?? '')}.`);
  for (const [tenantId, verdict] of await verifyAuditLog(readMigrationEnv().migrationDatabaseUrl)) {
    const { eventCount, head, anchor, problem } = verdict;
    const from =
      anchor === null
        ? ''
        : ` from the anchor on (pruned up to event ${anchor.sequence} at ${anchor.prunedAt.toISOString()}, ${anchor.reason})`;
    process.stdout.write(
      `${tenantId} ${problem ?? 'whole'}: ${eventCount} events verified${from}, head ${head ?? 'none'}\n`,
    );
    if (problem !== null) process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
